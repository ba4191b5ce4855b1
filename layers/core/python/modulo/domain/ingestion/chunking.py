"""Chunking of pages: by tokens, at sentence ends, with headings, tables and offsets."""

import re
from collections.abc import Generator, Iterable, Iterator
from itertools import count, islice
from typing import NamedTuple

from modulo.domain.collections.collection import Chunking
from modulo.domain.documents.chunk import Chunk
from modulo.domain.documents.document import BlockKind, Page
from modulo.domain.documents.outline import Heading, Outline, Title, heading_path
from modulo.domain.documents.placement import PlacedLine, PlacedText
from modulo.domain.ingestion.chunk_packing import WIDE_GAP, Path, Unit, pack
from modulo.domain.ingestion.splitting import Scale, Segment, split_table, split_text, split_to_fit
from modulo.domain.text.table_rows import MAX_HEADER_ROWS, header_rows
from modulo.domain.text.tokens import WEIGHT_PER_TOKEN, rate_of

BETWEEN_BLOCKS = "\n\n"
_LINE = re.compile(r"[^\n]+")
_CAPTION = re.compile(r"(?:table|tab\.|figure|fig\.|exhibit|chart|tabelle|tableau|tabla)\b", re.IGNORECASE)
_UNITS = re.compile(r"\([^()\n]{2,120}\)|(?:in|en|all figures in|amounts in|angaben in) [^.\n]{2,60}", re.IGNORECASE)
"""What the figures of a table are: (in millions of euros)."""
_NOTE = re.compile(r"(?:notes?|sources?|quelle|anmerkung)\b|[*†‡¹²³]|-\*", re.IGNORECASE)


def page_text(page: Page) -> str:
    """The text that the offsets of the page's chunks refer to."""
    return BETWEEN_BLOCKS.join(block.text for block in page.blocks)


def _page_lines(page: Page) -> Iterator[PlacedLine]:
    """The lines of the page, by offsets into its text."""
    start = 0
    for block in page.blocks:
        yield from (line.moved(start) for line in block.lines)
        start += len(block.text) + len(BETWEEN_BLOCKS)


def chunk(pages: Iterable[Page], chunking: Chunking) -> Iterator[Chunk]:
    """The chunks of a document, numbered from 0; memory holds one page at a time.

    The estimate of a chunk's embedded text is at most `max_tokens`. Apart from white space, all of
    the document is in some chunk's text or heading. A chunk lies within one page; its text is that
    page's text from `start` to `end`, behind a table's header where the table goes on, and the name of the rows' group.
    """
    outline = Outline()
    numbers = count()
    for page in pages:
        yield from _PageChunker(page, chunking, outline, numbers).chunks()
    for heading in outline.pending:
        yield from _heading_chunks(heading, numbers, chunking)


def _heading_chunks(heading: Heading, numbers: Iterator[int], chunking: Chunking) -> Iterator[Chunk]:
    """Chunks of a heading without text under it."""
    placed = PlacedText(heading.lines)
    room = chunking.max_tokens * WEIGHT_PER_TOKEN
    for piece in split_to_fit(heading.text, 0, len(heading.text), room=room, scale=Scale(heading.rate)):
        start, end = heading.title.start + piece.start, heading.title.start + piece.end
        text = heading.text[piece.start : piece.end]
        yield Chunk(next(numbers), text, heading.page, start, end, places=placed.places(start, end))


class _Section(NamedTuple):
    """The section of a block: its heading path, the weight of a chunk in it, and the titles right before the block."""

    path: Path
    room: int
    titles: tuple[Title, ...] = ()


class _PageChunker:
    """Chunks one page."""

    def __init__(self, page: Page, chunking: Chunking, outline: Outline, numbers: Iterator[int]) -> None:
        self._page = page
        self._outline = outline
        self._numbers = numbers
        self._carried = frozenset(outline.pending)  # headings of earlier pages
        self._text = page_text(page)
        self._placed = PlacedText(_page_lines(page))
        scale = Scale(rate_of(self._text))
        self._scale, self._weight = scale, scale.weight
        self._chunking = chunking
        self._limit = chunking.max_tokens * WEIGHT_PER_TOKEN
        self._units: list[Unit] = []
        self._section: _Section | None = None

    def chunks(self) -> Iterator[Chunk]:
        """The page's chunks."""
        start, tables, noted = 0, 0, 0
        for index, block in enumerate(self._page.blocks):
            end = start + len(block.text)
            if block.text.strip() and start >= noted:
                if block.kind is BlockKind.table:
                    noted = self._note(index, end)
                    yield from self._table(index, start, end, noted, tables)
                elif block.kind is BlockKind.heading:
                    yield from self._enter(index, start, block.level)
                else:
                    yield from self._add_text(index, start, end)
            tables += block.kind is BlockKind.table
            start = end + len(BETWEEN_BLOCKS)
        yield from self._flush()

    def _enter(self, index: int, start: int, level: int) -> Iterator[Chunk]:
        """Enter a heading's section; the sections that it ends without text become text themselves."""
        ended = self._outline.close(level)
        if self._carried.issuperset(ended):
            for heading in ended:
                yield from _heading_chunks(heading, self._numbers, self._chunking)
        else:
            self._section = None
            section = yield from self._current_section(index)
            yield from self._add_headings(index, ended, section)
        text = self._page.blocks[index].text
        title = Title(start + len(text) - len(text.lstrip()), " ".join(text.split()))
        lines = tuple(line.moved(start) for line in self._page.blocks[index].lines)
        self._outline.open(Heading(level, title, self._page.number, text.strip(), self._scale.rate, lines))
        self._section = None

    def _current_section(self, index: int) -> Generator[Chunk, None, _Section]:
        """The section of a block that is no heading; the innermost headings, as many as fit, are its path.

        Pending headings that are not in the path become the section's first text.
        """
        if self._section is not None:
            return self._section
        pending = self._outline.pending
        shown: list[Heading] = []
        as_text = False  # a pending heading above a pending one that becomes text becomes text too
        for heading in reversed(self._outline.above):
            if self._weight(heading.title.text) > self._limit // 4 or (as_text and heading in pending):
                as_text = as_text or heading in pending
            elif self._weight(heading_path([heading, *shown])) > self._limit // 4:
                break
            else:
                shown.insert(0, heading)
        path = tuple(heading.title.text for heading in shown)
        section = _Section(path, self._limit - (self._weight(heading_path(shown)) + 1 if path else 0))
        self._section, self._outline.pending = section, []
        yield from self._add_headings(index, [heading for heading in pending if heading not in shown], section)
        titles = (heading.title for heading in pending if heading in shown and heading not in self._carried)
        return section._replace(titles=tuple(titles))

    def _add_headings(self, index: int, headings: Iterable[Heading], section: _Section) -> Iterator[Chunk]:
        """Take headings as text; those of earlier pages make chunks of their own."""
        for heading in headings:
            if heading in self._carried:
                yield from _heading_chunks(heading, self._numbers, self._chunking)
            else:
                segments = split_to_fit(
                    self._text, heading.title.start, heading.end, room=section.room, scale=self._scale
                )
                section = self._add_segments(index, segments, section, title=True)

    def _add_text(self, index: int, start: int, end: int) -> Iterator[Chunk]:
        """Take a block's sentences."""
        section = yield from self._current_section(index)
        self._add_segments(index, split_text(self._text, start, end, room=section.room, scale=self._scale), section)

    def _add_segments(
        self, index: int, segments: Iterable[Segment], section: _Section, *, title: bool = False
    ) -> _Section:
        """Take segments of text; the titles of the section stand before the first only."""
        path, room, titles = section
        for segment in segments:
            between = self._text[self._units[-1].end : segment.start] if self._units else ""
            gap = len(between) - len(between.strip())
            weight = min(room, max(segment.weight, gap + segment.end - segment.start))
            lead = self._weight(between) if len(between) > gap else 0
            apart = segment.apart or gap > WIDE_GAP or weight + lead > room
            lead = 0 if apart else lead
            self._units.append(
                Unit(
                    start=segment.start,
                    end=segment.end,
                    weight=weight,
                    path=path,
                    room=room,
                    block=index,
                    titles=titles,
                    lead=lead,
                    closes=segment.closes,
                    apart=apart,
                    title=title,
                )
            )
            titles = ()
        return _Section(path, room)

    def _table(self, index: int, start: int, end: int, note: int, table: int) -> Iterator[Chunk]:
        """Pack the text before the table, then split the table."""
        path, room, titles = yield from self._current_section(index)
        rows = self._text[start:end]
        start, end = start + len(rows) - len(rows.lstrip()), start + len(rows.rstrip())
        caption = self._caption(path, room, start)
        yield from self._flush()
        first = path[: len(path) - sum(title.start > caption for title in titles)]  # the others are read with it
        named = (*path, " ".join(self._text[caption:start].split())) if caption < start else path
        for piece in split_table(
            self._text,
            start,
            end,
            caption=caption,
            note=note or end,
            room=room,
            scale=self._scale,
            header_rows=max(self._page.blocks[index].header_rows, self._header_rows(start, end)),
        ):
            heading = heading_path(named if piece.continued else first)
            number = next(self._numbers)
            yield Chunk(
                number=number,
                text=piece.text,
                page=self._page.number,
                start=piece.start,
                end=piece.end,
                heading=heading,
                table=table,
                places=self._placed.places(piece.start, piece.end),
            )

    def _header_rows(self, start: int, end: int) -> int:
        """How many of the table's first rows read like its header, whatever its format says."""
        lines = (line.group().strip() for line in _LINE.finditer(self._text, start, end))
        return header_rows(list(islice(filter(None, lines), MAX_HEADER_ROWS + 2)))

    def _caption(self, path: Path, room: int, start: int) -> int:
        """The start of the table's caption, which is taken off the text before it; `start` if there is none."""
        first = len(self._units)
        if first and not self._units[-1].title:
            block = self._units[-1].block
            while first and self._units[first - 1].block == block:
                first -= 1
            text = self._text[self._units[first].start : start].strip()
            if not (_CAPTION.match(text) or text.endswith(":") or _UNITS.fullmatch(text)):
                return start
        while first and self._units[first - 1].title and self._units[first - 1].path is path:
            first -= 1
        if first == len(self._units) or self._units[first].path is not path:
            return start
        begin = self._units[first].start
        if self._weight(self._text[begin:start]) > room // 2:
            return start
        del self._units[first:]
        return begin

    def _note(self, index: int, end: int) -> int:
        """The end of the note below a table; 0 if there is none."""
        following = self._page.blocks[index + 1 : index + 2]
        text = following[0].text if following and following[0].kind is BlockKind.text else ""
        if text.strip() and _NOTE.match(text) and self._weight(text) <= self._limit // 6:
            return end + len(BETWEEN_BLOCKS) + len(text.rstrip())
        return 0

    def _flush(self) -> Iterator[Chunk]:
        """Chunks of the text taken so far."""
        for path, start, end in pack(self._units, overlap=self._chunking.overlap_tokens * WEIGHT_PER_TOKEN):
            yield Chunk(
                number=next(self._numbers),
                text=self._text[start:end],
                page=self._page.number,
                start=start,
                end=end,
                heading=heading_path(path),
                places=self._placed.places(start, end),
            )
        self._units = []

"""Pages into chunks: token-aware, ending at sentence ends, keeping headings, tables and places."""

import re
from collections.abc import Generator, Iterable, Iterator
from itertools import count
from typing import NamedTuple

from modulo.domain.chunk import Chunk
from modulo.domain.collection import Chunking
from modulo.domain.document import BlockKind, Page
from modulo.domain.outline import Heading, Outline, joined
from modulo.domain.packing import Path, Title, Unit, pack
from modulo.domain.pieces import Scale, cut_table, cut_text
from modulo.domain.tokens import ONE, rate_of

BETWEEN_BLOCKS = "\n\n"
_WIDE_GAP = 200  # characters of white space that no chunk spans
_CAPTION = re.compile(r"(?:table|tab\.|figure|fig\.|exhibit|chart|tabelle|tableau|tabla)\b", re.IGNORECASE)
_NOTE = re.compile(r"(?:notes?|sources?|quelle|anmerkung)\b|[*†‡¹²³]|-\*", re.IGNORECASE)


def page_text(page: Page) -> str:
    """The text that the offsets of the page's chunks refer to."""
    return BETWEEN_BLOCKS.join(block.text for block in page.blocks)


def chunk(pages: Iterable[Page], chunking: Chunking) -> Iterator[Chunk]:
    """The chunks of a document, numbered from 0; memory holds one page at a time.

    The estimate of a chunk's embedded text is at most `max_tokens`. Apart from white space, all of
    the document is in some chunk's text or heading. A chunk lies within one page; its text is that
    page's text from `start` to `end`, behind a table's header row where the table goes on.
    """
    outline = Outline()
    numbers = count()
    for page in pages:
        yield from _PageCutter(page, chunking, outline, numbers).chunks()
    for heading in outline.pending:
        yield _alone(heading, next(numbers))


def _alone(heading: Heading, number: int) -> Chunk:
    """A chunk of a heading that nothing stands under."""
    return Chunk(number, heading.text, heading.page, heading.title.start, heading.end)


class _Place(NamedTuple):
    """Where a block stands: under which headings, right behind which, and what a chunk there may weigh."""

    path: Path
    room: int
    titles: tuple[Title, ...] = ()


class _PageCutter:
    """Cuts one page."""

    def __init__(self, page: Page, chunking: Chunking, outline: Outline, numbers: Iterator[int]) -> None:
        self._page = page
        self._outline = outline
        self._numbers = numbers
        self._carried = frozenset(outline.pending)  # headings of earlier pages
        self._text = page_text(page)
        scale = Scale(rate_of(self._text))
        self._scale, self._weight = scale, scale.weight
        self._limit = chunking.max_tokens * ONE
        self._overlap = chunking.overlap_tokens * ONE
        self._units: list[Unit] = []
        self._place: _Place | None = None
        self._done = 0  # where what was read last ends

    def chunks(self) -> Iterator[Chunk]:
        """The page's chunks."""
        start, tables, noted = 0, 0, 0
        for index, block in enumerate(self._page.blocks):
            end = start + len(block.text)
            if block.text.strip() and start >= noted:
                if block.kind is BlockKind.table:
                    noted = self._note(index, end)
                    yield from self._table(index, start, end, noted, tables)
                elif block.kind is BlockKind.heading and self._weight(block.text) <= self._limit // 4:
                    yield from self._enter(index, start, block.level)
                else:
                    yield from self._read(index, start, end)
                self._done = end
            tables += block.kind is BlockKind.table
            start = end + len(BETWEEN_BLOCKS)
        yield from self._packed()

    def _enter(self, index: int, start: int, level: int) -> Iterator[Chunk]:
        """Go below a heading."""
        text = self._page.blocks[index].text
        title = Title(start + len(text) - len(text.lstrip()), " ".join(text.split()))
        ended = self._outline.enter(Heading(level, title, self._page.number, text.strip()))
        yield from self._orphans(index, ended)
        self._place = None

    def _orphans(self, index: int, headings: Iterable[Heading]) -> Iterator[Chunk]:
        """Headings with nothing under them are text; those of earlier pages, chunks of their own."""
        for heading in headings:
            if heading in self._carried:
                yield _alone(heading, next(self._numbers))
            else:
                weight = self._weight(heading.text)
                self._units.append(Unit(heading.title.start, heading.end, weight, (), self._limit, index))

    def _settle(self, index: int) -> Generator[Chunk, None, _Place]:
        """The place of a block that is no heading; as many headings make its path as are short enough together."""
        if self._place is None:
            above, pending = self._outline.above, self._outline.pending
            path: Path = ()
            for heading in reversed(above):
                longer = (heading.title.text, *path)
                if self._weight(joined(longer)) > self._limit // 4:
                    break
                path = longer
            shown = above[len(above) - len(path) :]
            yield from self._orphans(index, [heading for heading in pending if heading not in shown])
            titles = [heading.title for heading in pending if heading in shown and heading not in self._carried]
            room = self._limit - (self._weight(joined(path)) + 1 if path else 0)
            self._place = _Place(path, room)
            self._outline.pending = []
            return _Place(path, room, tuple(titles))
        return self._place

    def _read(self, index: int, start: int, end: int) -> Iterator[Chunk]:
        """Take a block's sentences."""
        path, room, titles = yield from self._settle(index)
        for piece in cut_text(self._text, start, end, room=room, scale=self._scale):
            gap = piece.start - self._done
            weight = min(room, max(piece.weight, gap + piece.end - piece.start))
            lead = self._weight(self._text[titles[0].start : piece.start]) if titles else 0
            apart = piece.apart or gap > _WIDE_GAP or weight + lead > room
            lead = 0 if apart else lead
            unit = Unit(piece.start, piece.end, weight, path, room, index, titles, lead, piece.closes, apart)
            self._units.append(unit)
            self._done, titles = piece.end, ()

    def _table(self, index: int, start: int, end: int, note: int, table: int) -> Iterator[Chunk]:
        """Pack what stands before the table, then cut the table."""
        path, room, _ = yield from self._settle(index)
        caption = self._caption(path, room, start)
        yield from self._packed()
        named = (*path, " ".join(self._text[caption:start].split())) if caption < start else path
        for piece in cut_table(self._text, start, end, caption=caption, note=note, room=room, scale=self._scale):
            heading = joined(named if piece.continued else path)
            number = next(self._numbers)
            yield Chunk(number, piece.text, self._page.number, piece.start, piece.end, heading, table)
        self._done = note

    def _caption(self, path: Path, room: int, start: int) -> int:
        """Where the line that names a table starts: it is taken off the text before; `start` if there is none."""
        if not self._units or self._units[-1].path != path:
            return start
        block = self._units[-1].block
        first = next(i for i in reversed(range(len(self._units))) if not i or self._units[i - 1].block != block)
        place = self._units[first].start
        text = self._text[place:start].strip()
        if self._weight(self._text[place:start]) > room // 5 or not (_CAPTION.match(text) or text.endswith(":")):
            return start
        del self._units[first:]
        return place

    def _note(self, index: int, end: int) -> int:
        """Where the note below a table ends; `end` of the table if there is none."""
        following = self._page.blocks[index + 1 : index + 2]
        text = following[0].text if following and following[0].kind is BlockKind.text else ""
        if text.strip() and _NOTE.match(text) and self._weight(text) <= self._limit // 6:
            return end + len(BETWEEN_BLOCKS) + len(text.rstrip())
        return end

    def _packed(self) -> Iterator[Chunk]:
        """Chunks of the text taken so far."""
        for path, start, end in pack(self._units, overlap=self._overlap):
            yield Chunk(next(self._numbers), self._text[start:end], self._page.number, start, end, joined(path))
        self._units = []

"""Pages into chunks: token-aware, ending at sentence ends, keeping headings, tables and places."""

import re
from collections.abc import Generator, Iterable, Iterator
from itertools import count
from typing import NamedTuple

from modulo.domain.chunk import Chunk
from modulo.domain.collection import Chunking
from modulo.domain.document import BlockKind, Page
from modulo.domain.outline import Heading, Outline, joined
from modulo.domain.packing import WIDE_GAP, Path, Title, Unit, pack
from modulo.domain.pieces import Piece, Scale, cut_table, cut_text, fit
from modulo.domain.tokens import ONE, rate_of

BETWEEN_BLOCKS = "\n\n"
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
        yield from _alone(heading, numbers, chunking)


def _alone(heading: Heading, numbers: Iterator[int], chunking: Chunking) -> Iterator[Chunk]:
    """Chunks of a heading that nothing stands under on its page or later."""
    room = chunking.max_tokens * ONE
    for piece in fit(heading.text, 0, len(heading.text), room=room, scale=Scale(heading.rate)):
        start = heading.title.start
        text = heading.text[piece.start : piece.end]
        yield Chunk(next(numbers), text, heading.page, start + piece.start, start + piece.end)


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
        self._chunking = chunking
        self._limit = chunking.max_tokens * ONE
        self._units: list[Unit] = []
        self._place: _Place | None = None

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
                    yield from self._read(index, start, end)
            tables += block.kind is BlockKind.table
            start = end + len(BETWEEN_BLOCKS)
        yield from self._packed()

    def _enter(self, index: int, start: int, level: int) -> Iterator[Chunk]:
        """Go below a heading; those that it ends and that nothing stands under are text."""
        ended = self._outline.close(level)
        if self._carried.issuperset(ended):
            for heading in ended:
                yield from _alone(heading, self._numbers, self._chunking)
        else:
            self._place = None
            place = yield from self._settle(index)
            yield from self._say(index, ended, place)
        text = self._page.blocks[index].text
        title = Title(start + len(text) - len(text.lstrip()), " ".join(text.split()))
        self._outline.open(Heading(level, title, self._page.number, text.strip(), self._scale.rate))
        self._place = None

    def _settle(self, index: int) -> Generator[Chunk, None, _Place]:
        """The place of what is no heading: the innermost headings that are short enough together make its path.

        Those pending that the path does not show are its first words.
        """
        if self._place is not None:
            return self._place
        pending = self._outline.pending
        shown: list[Heading] = []
        said = False  # what stands above a pending heading that is said and is pending itself, is said as well
        for heading in reversed(self._outline.above):
            if self._weight(heading.title.text) > self._limit // 4 or (said and heading in pending):
                said = said or heading in pending
            elif self._weight(joined([heading, *shown])) > self._limit // 4:
                break
            else:
                shown.insert(0, heading)
        path = tuple(heading.title.text for heading in shown)
        place = _Place(path, self._limit - (self._weight(joined(shown)) + 1 if path else 0))
        self._place, self._outline.pending = place, []
        yield from self._say(index, [heading for heading in pending if heading not in shown], place)
        titles = (heading.title for heading in pending if heading in shown and heading not in self._carried)
        return place._replace(titles=tuple(titles))

    def _say(self, index: int, headings: Iterable[Heading], place: _Place) -> Iterator[Chunk]:
        """Take headings as text; those of earlier pages make chunks of their own."""
        for heading in headings:
            if heading in self._carried:
                yield from _alone(heading, self._numbers, self._chunking)
            else:
                pieces = fit(self._text, heading.title.start, heading.end, room=place.room, scale=self._scale)
                place = self._take(index, pieces, place, title=True)

    def _read(self, index: int, start: int, end: int) -> Iterator[Chunk]:
        """Take a block's sentences."""
        place = yield from self._settle(index)
        self._take(index, cut_text(self._text, start, end, room=place.room, scale=self._scale), place)

    def _take(self, index: int, pieces: Iterable[Piece], place: _Place, *, title: bool = False) -> _Place:
        """Take pieces of text; the titles of the place stand before the first of them only."""
        path, room, titles = place
        for piece in pieces:
            between = self._text[self._units[-1].end : piece.start] if self._units else ""
            gap = len(between) - len(between.strip())
            weight = min(room, max(piece.weight, gap + piece.end - piece.start))
            lead = self._weight(between) if len(between) > gap else 0
            apart = piece.apart or gap > WIDE_GAP or weight + lead > room
            lead = 0 if apart else lead
            self._units.append(
                Unit(piece.start, piece.end, weight, path, room, index, titles, lead, piece.closes, apart, title)
            )
            titles = ()
        return _Place(path, room)

    def _table(self, index: int, start: int, end: int, note: int, table: int) -> Iterator[Chunk]:
        """Pack what stands before the table, then cut the table."""
        path, room, titles = yield from self._settle(index)
        rows = self._text[start:end]
        start, end = start + len(rows) - len(rows.lstrip()), start + len(rows.rstrip())
        caption = self._caption(path, room, start)
        yield from self._packed()
        first = path[: len(path) - sum(title.start > caption for title in titles)]  # the others are read with it
        named = (*path, " ".join(self._text[caption:start].split())) if caption < start else path
        for piece in cut_table(self._text, start, end, caption=caption, note=note or end, room=room, scale=self._scale):
            heading = joined(named if piece.continued else first)
            number = next(self._numbers)
            yield Chunk(number, piece.text, self._page.number, piece.start, piece.end, heading, table)

    def _caption(self, path: Path, room: int, start: int) -> int:
        """Where the lines that name a table start: they are taken off the text before; `start` if there are none."""
        first = len(self._units)
        if first and not self._units[-1].title:
            block = self._units[-1].block
            while first and self._units[first - 1].block == block:
                first -= 1
            text = self._text[self._units[first].start : start].strip()
            if not (_CAPTION.match(text) or text.endswith(":")):
                return start
        while first and self._units[first - 1].title and self._units[first - 1].path is path:
            first -= 1
        if first == len(self._units) or self._units[first].path is not path:
            return start
        place = self._units[first].start
        if self._weight(self._text[place:start]) > room // 2:
            return start
        del self._units[first:]
        return place

    def _note(self, index: int, end: int) -> int:
        """Where the note below a table ends, or 0."""
        following = self._page.blocks[index + 1 : index + 2]
        text = following[0].text if following and following[0].kind is BlockKind.text else ""
        if text.strip() and _NOTE.match(text) and self._weight(text) <= self._limit // 6:
            return end + len(BETWEEN_BLOCKS) + len(text.rstrip())
        return 0

    def _packed(self) -> Iterator[Chunk]:
        """Chunks of the text taken so far."""
        for path, start, end in pack(self._units, overlap=self._chunking.overlap_tokens * ONE):
            yield Chunk(next(self._numbers), self._text[start:end], self._page.number, start, end, joined(path))
        self._units = []

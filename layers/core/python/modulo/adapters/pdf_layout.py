"""A PDF's page into blocks: tables, headings, paragraphs."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from modulo.adapters.pdf_geometry import HYPHEN, Run, Sheet
from modulo.adapters.pdf_grids import find_grids
from modulo.adapters.pdf_lines import BULLET, Line, joined, lines_of, words_of
from modulo.adapters.pdf_style import Style, letters_of, without_furniture
from modulo.adapters.pdf_tables import Table, aligned, framed
from modulo.domain.document import Block, BlockKind

_ENDS = (".", "!", "?", ":", ";", "\u3002", "\uff01", "\uff1f")
_SIZES = ((1.8, 1), (1.4, 2), (1.12, 3))  # times the body's size, and the level of heading that makes
_BOLD_LEVEL = 4
_UNLISTED = 6  # below all that comes before the first one that is listed
_LONGEST_HEADING = 250
_CONTENTS_ENTRY = re.compile(r" \u2026 ?[\divxlc]+$")
_NOT_A_HEADING = re.compile(r"[\W\d_]*")


def blocks_of(sheet: Sheet, number: int, style: Style) -> Iterator[Block]:
    """The page's blocks in reading order: that of its content, tables where their first cell stands."""
    runs = list(without_furniture(_distinct(sheet.runs), sheet, style.furniture))
    known = _Known(frozenset(words_of(run.text for run in runs)), style.words)
    framed_runs: set[int] = set()
    parts: list[Table | Line] = []
    for grid in find_grids(sheet.rules, runs):
        if table := framed(grid, known):
            parts.append(table)
            framed_runs |= {id(run) for run in grid.runs}
    parts += _columns(lines_of(run for run in runs if id(run) not in framed_runs), known)
    parts.sort(key=lambda part: part.order)
    titles = style.titles_near(number)
    for part in _paragraphs(parts):
        if isinstance(part, Table):
            if part.title:
                yield Block(BlockKind.heading, part.title, max(style.level, _BOLD_LEVEL) + 2)
            yield Block(BlockKind.table, part.text)
        else:
            yield _block(part, joined([line.text for line in part], known), titles, style)


@dataclass(frozen=True, slots=True)
class _Known:
    here: frozenset[str]
    elsewhere: Container[str]

    def __contains__(self, word: object) -> bool:
        return word in self.here or word in self.elsewhere


def _distinct(runs: Iterable[Run]) -> Iterator[Run]:
    """Each run once: some programs draw text twice for a shadow or for boldness."""
    seen: set[tuple[str, int, int]] = set()
    for run in runs:
        place = (run.text, round(run.left / 3), round(run.bottom / 3))
        if place not in seen:
            seen.add(place)
            yield run


def _columns(lines: list[Line], known: Container[str]) -> list[Table | Line]:
    """Lines with the tables among them that only gaps make."""
    parts: list[Table | Line] = []
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and (len(lines[end].runs) > 1 or (end > start and _continues(lines, start, end))):
            end += 1
        while end > start and len(lines[end - 1].runs) == 1:
            end -= 1
        table = aligned(lines[start:end], known) if end > start + 1 else None
        if table:
            parts.append(table)
        else:
            end = max(end, start + 1)
            parts += lines[start:end]
        start = end
    return parts


def _continues(lines: list[Line], start: int, end: int) -> bool:
    """Whether a line of one run may be the rest of a cell above it."""
    above, line = lines[end - 1], lines[end]
    close = 0 <= above.bottom - line.top + 0.5 * line.runs[0].height < line.runs[0].height
    return close and line.left > lines[start].left + line.runs[0].height and line.right <= above.right + 2


def _paragraphs(parts: list[Table | Line]) -> Iterator[Table | list[Line]]:
    """Lines together that make a paragraph."""
    paragraph: list[Line] = []
    for part in parts:
        if paragraph and (isinstance(part, Table) or _starts(paragraph, part)):
            yield paragraph
            paragraph = []
        if isinstance(part, Table):
            yield part
        else:
            paragraph.append(part)
    if paragraph:
        yield paragraph


def _starts(paragraph: list[Line], line: Line) -> bool:
    """Whether a line starts a new paragraph."""
    last = paragraph[-1]
    if BULLET.match(line.text) and _is_item(line.text):
        return True
    if abs(line.size - last.size) > 0.13 * last.size or _CONTENTS_ENTRY.search(last.text):
        return True
    goes_on = line.text[:1].islower() or last.text.endswith((",", HYPHEN))
    if not goes_on and (line.bold != last.bold or (line.bold and line.look != last.look)):
        return True
    height = min(line.runs[0].height, last.runs[0].height)
    if line.bottom > last.bottom + 0.5 * height:  # the top of the next column, or another place
        return last.text.endswith(_ENDS) or not line.text[:1].islower()
    spacing = last.bottom - line.bottom
    usual = paragraph[-2].bottom - last.bottom if len(paragraph) > 1 else 1.25 * height
    if spacing > (1.12 if line.bold else 1.3) * max(usual, height) or line.left > last.right or line.right < last.left:
        return True
    width = max(part.right for part in paragraph) - min(part.left for part in paragraph)
    ended = last.text.endswith(_ENDS) and last.right < paragraph[0].left + 0.85 * width
    indented = line.left > last.left + 0.8 * height and last.text.endswith(_ENDS)
    # The paragraph behind a list stands where its bullets do.
    outdented = line.left < paragraph[0].left + 2 and not goes_on and _is_item(paragraph[0].text)
    return ended or indented or outdented


def _is_item(text: str) -> bool:
    first, _, rest = text.partition(" ")
    return bool(rest) and bool(BULLET.fullmatch(first)) and first not in {"o", "I", "a", "A"}


def _block(paragraph: list[Line], text: str, titles: Mapping[str, int], style: Style) -> Block:
    level = _level(paragraph, text, titles, style)
    return Block(BlockKind.heading, text, level) if level else Block(BlockKind.text, text)


def _level(paragraph: list[Line], text: str, titles: Mapping[str, int], style: Style) -> int:
    """The level of heading that a paragraph is, or 0."""
    if (
        len(text) > _LONGEST_HEADING
        or len(paragraph) > 6
        or _NOT_A_HEADING.fullmatch(text)
        or _CONTENTS_ENTRY.search(text)
    ):
        return 0
    if listed := titles.get(letters_of(text)):
        style.level = listed
        return listed
    size = paragraph[0].size / style.body if style.body else 1.0
    level = next((level for least, level in _SIZES if size >= least), 0)
    if text.endswith((".", ";", ",")) or (_is_item(text) and not level):
        return 0
    if not level and all(line.bold for line in paragraph) and size > 0.9:
        level = _BOLD_LEVEL if text.isupper() else _BOLD_LEVEL + 1
    if level and style.titles:  # the table of contents knows the upper levels
        level = (style.level or _UNLISTED) + max(1, level - _BOLD_LEVEL + 2)
    return level

"""Turns the runs of a page into blocks in reading order: tables, headings, paragraphs."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from modulo.adapters.parsing.pdf.cell_text import runs_of
from modulo.adapters.parsing.pdf.continued_tables import table_at_the_end, with_header_of
from modulo.adapters.parsing.pdf.geometry import HYPHEN, DrawnPage, Run
from modulo.adapters.parsing.pdf.lines import BULLET, Line, join_lines, lines_of, whole_words
from modulo.adapters.parsing.pdf.numeric_tables import find_numeric_tables
from modulo.adapters.parsing.pdf.placed_lines import placed_lines
from modulo.adapters.parsing.pdf.ruled_tables import find_ruled_tables
from modulo.adapters.parsing.pdf.style import Style, letters_only
from modulo.adapters.parsing.pdf.tables import Table, table_from_alignment, table_from_rules
from modulo.domain.documents.document import Block, BlockKind

_SENTENCE_ENDS = (".", "!", "?", ":", ";", "\u3002", "\uff01", "\uff1f")
_HEADING_SIZES = ((1.8, 1), (1.4, 2), (1.12, 3))  # least multiple of the body's font size, and the heading's level
_BOLD_LEVEL = 4
_UNLISTED_LEVEL = 6  # of headings before the first one that is in the table of contents
_MAX_HEADING_LENGTH = 250
_CONTENTS_ENTRY = re.compile(r" \u2026 ?[\divxlc]+$")
_NOT_A_HEADING = re.compile(r"[\W\d_]*")


def blocks_of(page: DrawnPage, style: Style) -> Iterator[Block]:
    """The page's blocks in the order of its content stream; a table stands where its first cell does.

    The level of the last heading of the table of contents is kept in `style`.
    """
    runs = list(style.running_heads.without(_distinct(page.runs), page))
    known_words = _KnownWords(runs, style.words)
    table_runs: set[int] = set()
    parts: list[Table | Line] = []
    for ruled in find_ruled_tables(page.rules, runs):
        if table := table_from_rules(ruled, known_words):
            parts.append(table)
            table_runs |= {id(run) for run in ruled.runs}
    parts += _with_tables(lines_of(run for run in runs if id(run) not in table_runs), known_words)
    parts.sort(key=lambda part: part.order)
    if not page.is_aside:
        parts = with_header_of(parts, page, style.open_table)
        style.open_table = table_at_the_end(parts, page)
    toc_levels = style.toc_levels_near(page.index)
    for part in _paragraphs(parts):
        if isinstance(part, Table):
            if part.title:
                lines = tuple(placed_lines(part.title, runs_of(part.title), page))
                yield Block(BlockKind.heading, part.title, max(style.toc_level, _BOLD_LEVEL) + 2, lines=lines)
            yield Block(BlockKind.table, part.text, lines=tuple(part.lines_on(page)))
        else:
            text = join_lines([line.text for line in part], known_words)
            lines = tuple(placed_lines(text, (run for line in part for run in line.runs), page))
            level = _level(part, text, toc_levels, style)
            yield Block(BlockKind.heading if level else BlockKind.text, text, level, lines=lines)
    for aside in page.asides:
        yield from blocks_of(aside, style)


class _KnownWords:
    """The words of the page and those of the sampled pages."""

    def __init__(self, runs: Sequence[Run], document: Container[str]) -> None:
        self._runs = runs
        self._document = document

    def __contains__(self, word: object) -> bool:
        return word in self._page or word in self._document

    @cached_property
    def _page(self) -> frozenset[str]:  # most pages cut no word in two
        return frozenset(whole_words(run.text for run in self._runs))


def _distinct(runs: Iterable[Run]) -> Iterator[Run]:
    """Each run once: some programs draw text twice, as a shadow or to make it bold."""
    seen: set[tuple[str, int, int]] = set()
    for run in runs:
        place = (run.text, round(run.left / 3), round(run.bottom / 3))
        if place not in seen:
            seen.add(place)
            yield run


def _with_tables(lines: list[Line], known_words: Container[str]) -> list[Table | Line]:
    """The lines, with those that align in columns replaced by tables: first those of figures, then all others."""
    parts: list[Table | Line] = []
    start = 0
    for found in find_numeric_tables(lines, known_words):
        parts += _with_aligned_tables(lines[start : found.start], known_words)
        parts.append(found.table)
        start = found.end
    return parts + _with_aligned_tables(lines[start:], known_words)


def _with_aligned_tables(lines: list[Line], known_words: Container[str]) -> list[Table | Line]:
    """The lines, with those that align in columns replaced by tables."""
    parts: list[Table | Line] = []
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and (len(lines[end].runs) > 1 or (end > start and _continues(lines, start, end))):
            end += 1
        while end > start and len(lines[end - 1].runs) == 1:
            end -= 1
        table = table_from_alignment(lines[start:end], known_words) if end > start + 1 else None
        if table:
            parts.append(table)
        else:
            end = max(end, start + 1)
            parts += lines[start:end]
        start = end
    return parts


def _continues(lines: list[Line], start: int, end: int) -> bool:
    """Whether a line of one run may continue a cell of the line above."""
    above, line = lines[end - 1], lines[end]
    close = 0 <= above.bottom - line.top + 0.5 * line.runs[0].height < line.runs[0].height
    return close and line.left > lines[start].left + line.runs[0].height and line.right <= above.right + 2


def _paragraphs(parts: list[Table | Line]) -> Iterator[Table | list[Line]]:
    """The lines grouped into paragraphs."""
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
    if line.bottom > last.bottom + 0.5 * height:  # the top of the next column, or elsewhere
        return last.text.endswith(_SENTENCE_ENDS) or not line.text[:1].islower()
    spacing = last.bottom - line.bottom
    usual = paragraph[-2].bottom - last.bottom if len(paragraph) > 1 else 1.25 * height
    if spacing > (1.12 if line.bold else 1.3) * max(usual, height) or line.left > last.right or line.right < last.left:
        return True
    # A paragraph after a list is aligned with the bullets.
    outdented = line.left < paragraph[0].left + 2 and not goes_on and _is_item(paragraph[0].text)
    ended = last.text.endswith(_SENTENCE_ENDS)
    return outdented or (ended and (line.left > last.left + 0.8 * height or _ends_early(paragraph)))


def _ends_early(paragraph: list[Line]) -> bool:
    """Whether the last line is shorter than those before it."""
    width = max(line.right for line in paragraph) - min(line.left for line in paragraph)
    return paragraph[-1].right < paragraph[0].left + 0.85 * width


def _is_item(text: str) -> bool:
    first, _, rest = text.partition(" ")
    return bool(rest) and bool(BULLET.fullmatch(first)) and first not in {"o", "I", "a", "A"}


def _level(paragraph: list[Line], text: str, toc_levels: Mapping[str, int], style: Style) -> int:
    """The level of the heading that a paragraph is; 0 for text."""
    if (
        len(text) > _MAX_HEADING_LENGTH
        or len(paragraph) > 6
        or _NOT_A_HEADING.fullmatch(text)
        or _CONTENTS_ENTRY.search(text)
    ):
        return 0
    if listed := toc_levels.get(letters_only(text)):
        style.toc_level = listed
        return listed
    size = paragraph[0].size / style.body if style.body else 1.0
    level = next((level for least, level in _HEADING_SIZES if size >= least), 0)
    if text.endswith((".", ";", ",")) or (_is_item(text) and not level):
        return 0
    if not level and all(line.bold for line in paragraph) and size > 0.9:
        level = _BOLD_LEVEL if text.isupper() else _BOLD_LEVEL + 1
    if level and style.toc_levels:  # a heading that the table of contents does not list is below those it does
        level = (style.toc_level or _UNLISTED_LEVEL) + max(1, level - _BOLD_LEVEL + 2)
    return level

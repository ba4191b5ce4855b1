"""Makes blocks of a sheet's rows: the lines above the table, then the table with its merged cells filled."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from modulo.adapters.parsing.office.ooxml import Package
from modulo.adapters.parsing.office.sheet_cells import MAX_COLUMNS, Row, column_of
from modulo.adapters.parsing.table_blocks import MAX_CELLS, table_blocks
from modulo.adapters.parsing.text_decoding import MAX_TEXT_BYTES, one_line
from modulo.domain.documents.document import Block, BlockKind
from modulo.domain.errors import OversizedFile

_MERGED = re.compile(
    rb"<(?:\w{1,20}:)?mergeCell\s[^<>]{0,99}?ref\s?=\s?[\"']\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})[\"']"
)
_FROZEN = re.compile(rb"<(?:\w{1,20}:)?pane\s[^<>]{0,200}?ySplit\s?=\s?[\"'](\d{1,2})[\"'][^<>]{0,200}?frozen")
_MAX_HEADER_ROWS = 5
_MAX_REPEATED = 300  # characters: longer texts are not repeated in every row that they are merged over
_MAX_TITLE_WORDS = 12


class _Range(NamedTuple):
    """Merged cells: rows counted from 1, columns from 0."""

    first_row: int
    last_row: int
    first: int
    last: int


def sheet_blocks(package: Package, name: str, rows: Iterator[Row]) -> list[Block]:
    """The lines above the table, then the table, which starts with the first row of more than one filled cell.

    Short lines right above the table are headings: they say what its figures are.

    Raises:
        OversizedFile: the sheet has too many cells.
    """
    merged = _Merged(sorted(_ranges(package, name)))
    lines: list[Block] = []
    filled = _filled(rows, merged)
    first: Row | None = None
    for row in filled:
        texts = [cell for cell in row.cells if cell]
        if len(texts) > 1:
            first = row
            break
        lines += [Block(BlockKind.text, one_line(cell)) for cell in texts]
    if first is None:
        return lines
    header = _header_rows(package, name, first, merged.ranges)
    return [*_titled(lines), *table_blocks(_cells(first, filled), header_rows=header)]


def _titled(lines: list[Block]) -> list[Block]:
    """The lines, of which the last short ones are headings, each below the one before it."""
    first = len(lines)
    while first and len(lines[first - 1].text.split()) <= _MAX_TITLE_WORDS and lines[first - 1].text[-1] not in ".!?":
        first -= 1
    titles = enumerate(lines[first:], 2)  # the sheet's name is of level 1
    return [*lines[:first], *(Block(BlockKind.heading, line.text, level) for level, line in titles)]


def _cells(first: Row, rows: Iterator[Row]) -> Iterator[list[str]]:
    yield first.cells
    for row in rows:
        yield row.cells


def _ranges(package: Package, name: str) -> Iterator[_Range]:
    for number, found in enumerate(package.found(name, _MERGED)):
        if number > MAX_CELLS // 10:
            raise OversizedFile("A sheet has too many merged cells.")
        first, top, last, bottom = (group.decode() for group in found.groups())
        if (right := column_of(last)) < MAX_COLUMNS:
            yield _Range(int(top), int(bottom), column_of(first), right)


def _header_rows(package: Package, name: str, first: Row, ranges: list[_Range]) -> int:
    """How many rows from the first one of the table are its header: the frozen ones, or those of merged cells."""
    frozen = next((int(found[1]) for found in package.found(name, _FROZEN)), 0)
    if first.number <= frozen < first.number + _MAX_HEADER_ROWS:
        return frozen - first.number + 1
    ends = [
        max(one.last_row, one.first_row + (one.last > one.first))
        for one in ranges
        if one.first_row == first.number and one.last_row - one.first_row < _MAX_HEADER_ROWS
    ]
    return max(ends, default=first.number) - first.number + 1


@dataclass(slots=True)
class _Merged:
    """Fills the cells under merged ones, row by row."""

    ranges: list[_Range]
    _next: int = 0
    _open: list[tuple[_Range, str, bool]] = field(default_factory=list)  # the ranges that reach further down

    def fill(self, row: Row) -> int:
        """Fill a row's cells in place; returns how many ranges were looked at.

        A text alone in its row stays alone: it is a heading over the table or a part of it.
        """
        own = sum(map(bool, row.cells))
        self._open = [one for one in self._open if one[0].last_row >= row.number]
        for one, text, wide in self._open if own else ():
            _put(row.cells, one, text, wide=wide)
        while self._next < len(self.ranges) and self.ranges[self._next].first_row <= row.number:
            one = self.ranges[self._next]
            self._next += 1
            text = row.cells[one.first] if one.first < len(row.cells) and one.first_row == row.number else ""
            if text and len(text) <= _MAX_REPEATED:
                _put(row.cells, one, text, wide=own > 1)
                self._open += [(one, text, own > 1)] if one.last_row > row.number else []
        return len(self._open)


def _put(cells: list[str], one: _Range, text: str, *, wide: bool) -> None:
    last = one.last if wide else one.first
    cells += [""] * (last + 1 - len(cells))
    for column in range(one.first, last + 1):
        cells[column] = cells[column] or text


def _filled(rows: Iterator[Row], merged: _Merged) -> Iterator[Row]:
    """The rows with their merged cells filled, counted as read: the size that a sheet states is not trusted."""
    cells = characters = 0
    for row in rows:
        if merged.ranges:
            cells += merged.fill(row)
        cells += len(row.cells) + 1
        characters += sum(map(len, row.cells))
        if cells > 2 * MAX_CELLS or characters > MAX_TEXT_BYTES:
            raise OversizedFile(f"A sheet has more than {MAX_CELLS} cells or {MAX_TEXT_BYTES // 1024**2} MB of text.")
        yield row

"""Tables that go on at the top of the next page, where their header is not repeated."""

from collections.abc import Sequence
from dataclasses import replace

from modulo.adapters.parsing.pdf.geometry import DrawnPage
from modulo.adapters.parsing.pdf.lines import Line
from modulo.adapters.parsing.pdf.running_heads import EDGE
from modulo.adapters.parsing.pdf.tables import PERIOD, Table, is_number

_NEAR = 20.0  # points
_LONG_CELL = 30  # characters


def with_header_of(parts: list[Table | Line], page: DrawnPage, before: Table | None) -> list[Table | Line]:
    """The parts of a page; its first table has the header of the one that the page `before` ended with."""
    for number, part in enumerate(parts):
        if isinstance(part, Table):
            if before and _goes_on(part, before):
                header = list(map(str, before.rows[0]))  # without its runs, which are those of another page
                whole = replace(part, rows=[header, *part.rows])
                return [*parts[:number], whole, *parts[number + 1 :]]
            return parts
        if part.bottom < (1 - EDGE) * page.height:
            return parts
    return parts


def table_at_the_end(parts: Sequence[Table | Line], page: DrawnPage) -> Table | None:
    """The table that a page ends with."""
    for part in reversed(parts):
        if isinstance(part, Table):
            return part
        if part.top > EDGE * page.height:
            return None
    return None


def _goes_on(table: Table, before: Table) -> bool:
    header, first = before.rows[0], table.rows[0]
    if table.title or len(first) != len(header) or first[0] == header[0] != "" or first == header:
        return False
    if abs(table.left - before.left) > _NEAR or abs(table.right - before.right) > 2 * _NEAR:
        return False
    if any(_is_figure(cell) for cell in header[1:]) or len(before.rows) < 2:
        return False
    if any(_is_figure(cell) for row in before.rows[1:] for cell in row[1:]):
        return any(_is_figure(cell) for cell in first[1:])
    return max(map(len, header)) <= _LONG_CELL < max(map(len, first))


def _is_figure(cell: str) -> bool:
    return is_number(cell) and not PERIOD.fullmatch(cell.strip())

"""Tables on a PDF's page as rows of cells."""

import re
from bisect import bisect
from collections.abc import Container, Sequence
from dataclasses import dataclass

from modulo.adapters.pdf_geometry import Run
from modulo.adapters.pdf_grids import Grid, cells
from modulo.adapters.pdf_lines import Line, joined, lines_of, rows_of

CELL = " | "
_LONGEST_CELL = 1_500  # characters: more is a page laid out in boxes
_DIGIT = re.compile(r"\d")
Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table and where it stands in the page's content; `title` is a first row that spans it."""

    rows: Rows
    order: int
    title: str = ""

    @property
    def text(self) -> str:
        """One row a line."""
        return "\n".join(CELL.join(row).rstrip() for row in self.rows)


def framed(grid: Grid, known: Container[str]) -> Table | None:
    """The table in a grid, or None if what it frames is none."""
    bands = cells(grid)
    if _are_boxes(bands):
        return None
    if len(bands) <= 2:  # at most a border below the header
        bands[-1:] = _split(bands[-1])
    rows = [[_text(cell, known) for cell in band] for band in bands]
    return _table(rows, min(run.order for run in grid.runs))


def _are_boxes(bands: list[list[list[Run]]]) -> bool:
    """Whether the cells have columns inside, as the frames of a drawing do."""
    lines = [line for band in bands for cell in band for line in rows_of(cell)]
    return sum(len(line.runs) > 1 for line in lines) * 4 > len(lines)


def _split(band: list[list[Run]]) -> list[list[list[Run]]]:
    """A band without borders inside: its lines as rows, if they look like rows rather than wrapped text."""
    columns = {id(run): column for column, cell in enumerate(band) for run in cell}
    lines = rows_of(run for cell in band for run in cell)
    filled = [{columns[id(run)] for run in line.runs} for line in lines]
    used = sum(map(bool, band))
    if len(lines) < 3 or sum(map(len, filled)) * 5 < len(lines) * used * 3:
        return [band]
    rows: list[list[list[Run]]] = []
    for line, found in zip(lines, filled, strict=True):
        if not rows or 0 in found or len(found) > 1:
            rows.append([[] for _ in band])
        for run in line.runs:
            rows[-1][columns[id(run)]].append(run)
    return rows


def _text(cell: list[Run], known: Container[str]) -> str:
    return joined([line.text for line in lines_of(sorted(cell, key=lambda run: run.order))], known)


def _table(rows: Rows, order: int) -> Table | None:
    """The rows without those and the columns that are empty."""
    rows = [row for row in rows if any(row)]
    title = ""
    if len(rows) > 2 and sum(map(bool, rows[0])) == 1 and sum(map(bool, rows[1])) > 1:
        title = "".join(rows.pop(0))
    used = [column for column in range(len(rows[0]) if rows else 0) if any(row[column] for row in rows)]
    rows = [[row[column] for column in used] for row in rows]
    if len(rows) < 2 or len(used) < 2 or max(len(cell) for row in rows for cell in row) > _LONGEST_CELL:
        return None
    filled = sum(bool(cell) for row in rows for cell in row)
    return Table(rows, order, title) if filled * 2 > len(rows) * len(used) else None


def aligned(lines: Sequence[Line], known: Container[str]) -> Table | None:
    """The table that lines with wide gaps make, or None if their parts do not stand in columns."""
    broken = [line for line in lines if len(line.runs) > 1]
    runs = [run for line in broken for run in line.runs]
    digits = sum(bool(_DIGIT.search(run.text)) for run in runs)
    if len(broken) < (2 if digits * 3 > len(runs) else 3) or sum(len(run.text) for run in runs) > 40 * len(runs):
        return None
    starts = _columns(runs)
    if len(starts) < 2:
        return None
    rows: list[list[list[Run]]] = []
    for line in lines:
        columns = [max(bisect(starts, run.center) - 1, 0) for run in line.runs]
        if not rows or len(columns) > 1 or columns[0] == 0:
            rows.append([[] for _ in starts])
        for run, column in zip(line.runs, columns, strict=True):
            rows[-1][column].append(run)
    return _table([[_text(cell, known) for cell in row] for row in rows], lines[0].order)


def _columns(runs: Sequence[Run]) -> list[float]:
    """Where columns start: left of each stretch that runs fill, between gaps that all of them leave."""
    starts: list[float] = []
    end = float("-inf")
    for run in sorted(runs, key=lambda run: run.left):
        if run.left > end + 0.3 * run.height:
            starts.append(run.left - 0.1)
        end = max(end, run.right)
    return starts

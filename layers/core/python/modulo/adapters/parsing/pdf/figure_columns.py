"""Columns of figures, and the headers that stand over one or several of them."""

from collections.abc import Sequence
from itertools import pairwise

from modulo.adapters.parsing.pdf.cell_text import CellText, runs_of
from modulo.adapters.parsing.pdf.geometry import Run
from modulo.adapters.parsing.pdf.tables import is_number


def columns_of(numbers: Sequence[Run]) -> list[tuple[float, float]]:
    """From where to where each column of figures goes."""
    columns: list[tuple[float, float]] = []
    for cell in sorted(numbers, key=lambda cell: cell.left):
        if columns and cell.left < columns[-1][1] + 0.2 * cell.height:
            columns[-1] = (columns[-1][0], max(columns[-1][1], cell.right))
        else:
            columns.append((cell.left, cell.right))
    return columns


def placed(cells: Sequence[Run], columns: Sequence[tuple[float, float]]) -> list[str]:
    """The row's texts: its label, then what stands in each column."""
    texts = [""] * (len(columns) + 1)
    for cell in cells:
        column = 0
        if is_number(cell.text) or cell.left > columns[0][0]:
            middle = (cell.left + cell.right) / 2
            column = 1 + min(range(len(columns)), key=lambda n: abs(middle - (columns[n][0] + columns[n][1]) / 2))
        before = texts[column]
        texts[column] = CellText(f"{before} {cell.text.strip()}".strip(), [*runs_of(before), cell])
    return texts


def header_of(headers: Sequence[Sequence[Run]], columns: Sequence[tuple[float, float]]) -> list[str]:
    """One row of all header lines: what spans several columns stands over each of them."""
    found: list[list[Run]] = [[] for _ in range(len(columns) + 1)]
    for cells in headers:
        over = [cell for cell in cells if cell.right > columns[0][0] - 4 and not _is_aside(cell, cells, columns)]
        for cell in cells:
            if cell not in over:
                found[0].append(cell)
        for column, cell in _spans(over, columns):
            if cell.text.strip() not in [above.text.strip() for above in found[column + 1][-1:]]:
                found[column + 1].append(cell)
    return [CellText(" ".join(cell.text.strip() for cell in over), over) for over in found]


def _is_aside(cell: Run, cells: Sequence[Run], columns: Sequence[tuple[float, float]]) -> bool:
    """Whether it is the header of the labels."""
    return cell is cells[0] and cell.left < columns[0][0] - 40 and cell.right < columns[0][1]


def _spans(over: Sequence[Run], columns: Sequence[tuple[float, float]]) -> list[tuple[int, Run]]:
    """Each column with the header over it."""
    if not over:
        return []
    middles = [(left + right) / 2 for left, right in columns]
    pitch = min((after - before for before, after in pairwise(middles)), default=0.0)
    placed: list[tuple[int, Run]] = []
    nearest: dict[int, list[int]] = {}
    for column, middle in enumerate(middles):
        best = min(range(len(over)), key=lambda n: abs((over[n].left + over[n].right) / 2 - middle))
        nearest.setdefault(best, []).append(column)
    for number, cell in enumerate(over):
        center = (cell.left + cell.right) / 2
        group = nearest.get(number) or [min(range(len(columns)), key=lambda n: abs(middles[n] - center))]
        # As many columns as stand evenly under it.
        while len(group) > 1 and abs((columns[group[0]][0] + columns[group[-1]][1]) / 2 - center) > 0.45 * pitch:
            group = group[1:] if abs(middles[group[0]] - center) > abs(middles[group[-1]] - center) else group[:-1]
        placed += [(column, cell) for column in group]
    return placed

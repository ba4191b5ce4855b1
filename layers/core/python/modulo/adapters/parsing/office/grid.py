"""Rows of tables whose cells span rows and columns."""

from collections.abc import Iterable
from typing import NamedTuple

_MAX_SPAN = 100


class Cell(NamedTuple):
    """A cell: its text, how many columns it spans, and whether it goes on from the cell above or to the left."""

    text: str
    span: int = 1
    below: bool = False
    beside: bool = False


def grid(rows: Iterable[list[Cell]]) -> list[list[str]]:
    """The rows as text: a cell over several rows is repeated in each, a heading above each of its columns."""
    shown: list[list[str]] = []
    above: list[str] = []
    for row in rows:
        repeats = not shown and sum(bool(cell.text) and not cell.beside for cell in row) > 1
        cells: list[str] = []
        for cell in row:
            text = above[len(cells)] if cell.below and len(cells) < len(above) else cell.text
            if cell.beside:
                text = cells[-1] if repeats and cells else ""
            cells += [text, *[text if repeats else ""] * (max(1, min(cell.span, _MAX_SPAN)) - 1)]
        above = cells
        if any(cells):
            shown.append(cells)
    return shown

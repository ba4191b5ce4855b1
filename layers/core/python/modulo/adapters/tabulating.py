"""Rows of cells into a table's block."""

from collections.abc import Iterable, Sequence

from modulo.adapters.decoding import one_line
from modulo.domain.document import Block, BlockKind
from modulo.domain.errors import OversizedFile

CELL = " | "
MAX_CELLS = 2_000_000
_FEW_ROWS = 3
_LONGEST_CELL = 2_000  # characters: more in few rows is a page laid out in a table
_BETWEEN = "\x1f"  # what no cleaned text holds


def table_blocks(rows: Iterable[Sequence[str]]) -> list[Block]:
    """The table without empty rows and columns; text where the rows are no table, nothing where they are empty.

    Raises:
        OversizedFile: there are more than `MAX_CELLS` cells.
    """
    kept: list[str] = []  # a row as one text takes a third of the memory
    used: set[int] = set()
    cells = longest = 0
    for row in rows:
        cells += len(row)
        if cells > MAX_CELLS:
            raise OversizedFile(f"The document has a table of more than {MAX_CELLS} cells.")
        cleaned = [one_line(cell) for cell in row]
        filled = {column for column, cell in enumerate(cleaned) if cell}
        if filled:
            used |= filled
            longest = max(longest, *map(len, cleaned))
            kept.append(_BETWEEN.join(cleaned))
    if len(used) > 1 and not (len(kept) <= _FEW_ROWS and longest > _LONGEST_CELL):
        columns = sorted(used)
        return [Block(BlockKind.table, "\n".join(_line(row, columns) for row in kept))]
    return [Block(BlockKind.text, cell) for row in kept for cell in row.split(_BETWEEN) if cell]


def _line(row: str, columns: Sequence[int]) -> str:
    cells = row.split(_BETWEEN)
    return CELL.join(cells[column] if column < len(cells) else "" for column in columns).rstrip()

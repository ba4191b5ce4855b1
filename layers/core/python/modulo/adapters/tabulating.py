"""Rows of cells into a table's block."""

from collections.abc import Iterable, Sequence

from modulo.adapters.decoding import one_line
from modulo.domain.document import Block, BlockKind
from modulo.domain.errors import OversizedFile

CELL = " | "
MAX_CELLS = 2_000_000
_LONGEST_CELL = 2_000  # characters: more is a page laid out in a table


def table_blocks(rows: Iterable[Sequence[str]]) -> list[Block]:
    """The table without empty rows and columns; text where the rows are no table, nothing where they are empty.

    Raises:
        OversizedFile: there are more than `MAX_CELLS` cells.
    """
    kept: list[list[str]] = []
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > MAX_CELLS:
            raise OversizedFile(f"The document has a table of more than {MAX_CELLS} cells.")
        cleaned = [one_line(cell) for cell in row]
        if any(cleaned):
            kept.append(cleaned)
    used = sorted({column for row in kept for column, cell in enumerate(row) if cell})
    if not used:
        return []
    if len(used) == 1 or _is_layout(kept):
        return [Block(BlockKind.text, cell) for row in kept for cell in row if cell]
    lines = (CELL.join(row[column] if column < len(row) else "" for column in used).rstrip() for row in kept)
    return [Block(BlockKind.table, "\n".join(lines))]


def _is_layout(rows: list[list[str]]) -> bool:
    """Whether the cells hold running text: they are read one by one."""
    return len(rows) <= 3 and any(len(cell) > _LONGEST_CELL for row in rows for cell in row)

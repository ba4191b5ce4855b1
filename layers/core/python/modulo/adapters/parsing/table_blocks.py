"""Turns rows of cells into the block of a table."""

from collections.abc import Iterable, Sequence

from modulo.adapters.parsing.text_decoding import one_line
from modulo.domain.documents.document import Block, BlockKind
from modulo.domain.errors import OversizedFile
from modulo.domain.text.table_rows import CELL

MAX_CELLS = 2_000_000
_FEW_ROWS = 3
_MAX_CELL_LENGTH = 2_000  # characters: longer ones in `_FEW_ROWS` are a page laid out in a table
_SEPARATOR = "\x1f"  # never part of cleaned text


def table_blocks(rows: Iterable[Sequence[str]], *, header_rows: int = 1) -> list[Block]:
    """The table without empty rows and columns; text blocks if the rows are no table, none if all cells are empty.

    Raises:
        OversizedFile: the table has more than `MAX_CELLS` cells.
    """
    kept: list[str] = []  # each row as one string, which takes a third of the memory
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
            kept.append(_SEPARATOR.join(cleaned))
    if len(used) > 1 and not (len(kept) <= _FEW_ROWS and longest > _MAX_CELL_LENGTH):
        columns = sorted(used)
        return [Block(BlockKind.table, "\n".join(_line(row, columns) for row in kept), header_rows=header_rows)]
    return [Block(BlockKind.text, cell) for row in kept for cell in row.split(_SEPARATOR) if cell]


def _line(row: str, columns: Sequence[int]) -> str:
    cells = row.split(_SEPARATOR)
    return CELL.join(cells[column] if column < len(cells) else "" for column in columns).rstrip()

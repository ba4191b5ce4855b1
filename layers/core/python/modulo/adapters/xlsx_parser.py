"""Reads XLSX: a page a sheet, its name as heading, its cells as a table."""

import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import chain
from typing import Any, BinaryIO

import openpyxl

from modulo.adapters.decoding import one_line
from modulo.adapters.ooxml import Package
from modulo.adapters.opened import OpenedDocument
from modulo.adapters.tabulating import MAX_CELLS, table_blocks
from modulo.domain.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, FileRejected, OversizedFile

_MIDNIGHT = time()


class XlsxParser:
    """A reader of XLSX."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a workbook; its content must stay open until the last sheet has been read.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        package = Package(content)
        package.main()
        workbook = _workbook(content)
        return OpenedDocument(package.info(len(workbook.sheetnames)), lambda: _pages(workbook))


def _workbook(content: BinaryIO) -> Any:
    content.seek(0)
    try:
        with warnings.catch_warnings(action="ignore"):
            return openpyxl.load_workbook(content, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # openpyxl raises whatever damaged parts lead it to
        raise CorruptFile from error


def _pages(workbook: Any) -> Iterator[Page]:
    """Each sheet; hidden ones and those that are charts stay empty."""
    for number, name in enumerate(workbook.sheetnames, 1):
        sheet = workbook[name]
        if not hasattr(sheet, "reset_dimensions") or sheet.sheet_state != "visible":
            yield Page(number, ())
            continue
        try:
            with warnings.catch_warnings(action="ignore"):
                blocks = _blocks(sheet)
        except FileRejected:
            raise
        except Exception as error:
            raise CorruptFile(f"Sheet {number} is damaged: save the file again in its own program.") from error
        yield Page(number, (Block(BlockKind.heading, one_line(name), 1), *blocks) if blocks else ())


def _blocks(sheet: Any) -> list[Block]:
    """Lines above the table, then the table: its header is the first row with more than one cell."""
    lines: list[Block] = []
    rows = _rows(sheet)
    first: list[str] = []
    for row in rows:
        filled = [cell for cell in row if cell]
        if len(filled) > 1:
            first = row
            break
        lines += [Block(BlockKind.text, one_line(cell)) for cell in filled]
    return [*lines, *table_blocks(chain([first], rows))]


def _rows(sheet: Any) -> Iterator[list[str]]:
    """The rows as text, however large the sheet says it is."""
    sheet.reset_dimensions()
    cells = 0
    for row in sheet.iter_rows():
        cells += len(row) + 1
        if cells > 2 * MAX_CELLS:
            raise OversizedFile(f"A sheet has more than {MAX_CELLS} cells.")
        yield [_shown(cell) for cell in row]


def _shown(cell: Any) -> str:
    """A cell's value, nearly as its program shows it."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format or ""))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == _MIDNIGHT else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _number(value: float, shape: str) -> str:
    """A number without the noise of binary fractions; percentages as such."""
    percent = "%" in shape
    shown = f"{value * 100 if percent else value:.10g}"
    if "e" in shown and abs(value) < 1e18 and float(value).is_integer():
        shown = str(int(value))
    return f"{shown}%" if percent else shown

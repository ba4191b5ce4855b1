"""Reads the cells of a sheet as a spreadsheet shows them, whatever else the workbook holds."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from modulo.adapters.parsing.linear_notation import subscript, superscript
from modulo.adapters.parsing.numerals import numeral, whole_number
from modulo.adapters.parsing.office.elements import attribute, child, local
from modulo.adapters.parsing.office.number_format import built_in, general, shown_number, shown_text
from modulo.adapters.parsing.office.ooxml import Package
from modulo.domain.errors import CorruptFile

MAX_COLUMNS = 16_384
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{0,7})")
_RELATIVE = re.compile(r"\"[^\"]*\"|'[^']*'|(?<![\w.$])(\$?)([A-Z]{1,3})(\$?)(\d{1,7})(?![\w(.])")
_PLAIN = re.compile(r"-?\d{1,10}(?:\.\d{1,4})?")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LETTERS = 26


@dataclass(frozen=True, slots=True)
class Row:
    """A row's number, counted from 1, and the text of its cells up to the last one that has any."""

    number: int
    cells: list[str]


@dataclass(slots=True)
class Workbook:
    """What the cells of all sheets share: texts, number formats and the first day of dates."""

    texts: Sequence[str] = ()
    formats: Sequence[str] = ()
    from_1904: bool = False


def workbook_of(package: Package, main: str, root: etree._Element) -> Workbook:
    """The shared parts of the workbook with this main part, whose styles may be damaged.

    Raises:
        CorruptFile: the shared texts cannot be read.
    """
    properties = child(root, "workbookPr")
    workbook = Workbook(from_1904=properties is not None and attribute(properties, "date1904") in {"1", "true"})
    for relation in package.relations(main).values():
        if relation.target not in package:
            continue
        if relation.kind == "sharedStrings":
            workbook.texts = [_text(item) for item in package.elements(relation.target, "si")]
        elif relation.kind == "styles":
            workbook.formats = _formats(package.tree_or_none(relation.target))
    return workbook


def column_of(reference: str) -> int:
    """The column of a cell's reference such as C5, counted from 0; -1 if it is none."""
    found = _REFERENCE.match(reference)
    column = 0
    for letter in found[1].upper() if found else "":
        column = column * _LETTERS + ord(letter) - 64
    return column - 1


def _formats(styles: etree._Element | None) -> list[str]:
    """The number format of each cell style."""
    if styles is None:
        return []
    codes: dict[str, str] = {}
    listed, cells = child(styles, "numFmts"), child(styles, "cellXfs")
    for item in listed if listed is not None else ():
        codes[attribute(item, "numFmtId")] = attribute(item, "formatCode")
    numbers = [attribute(item, "numFmtId") for item in (cells if cells is not None else ()) if local(item) == "xf"]
    return [codes.get(number) or built_in(whole_number(number, -1)) for number in numbers]


def _text(item: etree._Element) -> str:
    """The text of a shared or inline string, without readings (furigana)."""
    if len(item) == 1 and local(item[0]) == "t":
        return _unescaped(item[0].text or "")
    words: list[str] = []
    for part in item:
        if local(part) == "t":
            words.append(part.text or "")
        elif local(part) == "r":
            words.append(_run(part))
    return _unescaped("".join(words))


def _run(run: etree._Element) -> str:
    text = "".join(part.text or "" for part in run if local(part) == "t")
    raised = child(run, "rPr", "vertAlign")
    shift = attribute(raised, "val") if raised is not None else ""
    return superscript(text) if shift == "superscript" else subscript(text) if shift == "subscript" else text


@dataclass(slots=True)
class SheetReader:
    """Reads the rows of one sheet."""

    package: Package
    name: str
    workbook: Workbook
    _columns: dict[str, int] = field(default_factory=dict)
    _shared: dict[str, tuple[str, int, int]] = field(default_factory=dict)  # formulas that several cells share

    def rows(self) -> Iterator[Row]:
        """The rows in order, each read when asked for.

        Raises:
            CorruptFile: the sheet cannot be read.
        """
        number = 0
        for row in self.package.elements(self.name, "row"):
            stated = row.get("r") or ""
            number = int(stated) if stated.isdecimal() and len(stated) < 8 else number + 1
            yield Row(number, self._cells(row, number))

    def _cells(self, row: etree._Element, number: int) -> list[str]:
        cells: list[str] = []
        for cell in row:
            reference = cell.get("r")
            column = self._column(reference) if reference else len(cells)
            text = self._shown(cell, number, column)
            if column == len(cells):
                cells.append(text)
            elif column > len(cells):
                cells += [""] * (column - len(cells))
                cells.append(text)
            else:
                cells[column] = text
        return cells

    def _column(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = column_of(letters)
        if not 0 <= column < MAX_COLUMNS:
            raise CorruptFile("A cell of the workbook has no place that a sheet has.")
        return column

    def _shown(self, cell: etree._Element, row: int, column: int) -> str:
        """A cell's text."""
        kind, value, formula, inline = cell.get("t"), None, None, None
        for part in cell:
            name = local(part)
            if name == "v":
                value = part.text
            elif name == "f":
                formula = part
            elif name == "is":
                inline = part
        if formula is not None:
            written = self._formula(formula, row, column)
            if not value and kind != "str":
                return f"={written}" if written else ""
        if inline is not None:
            return shown_text(_text(inline), self._format(cell))
        return self._value(cell, kind, value) if value else ""

    def _value(self, cell: etree._Element, kind: str | None, value: str) -> str:
        if kind == "s":
            try:
                return shown_text(self.workbook.texts[int(value)], self._format(cell))
            except (ValueError, IndexError) as error:
                raise CorruptFile(
                    "A text of the workbook is missing: save the file again in its own program."
                ) from error
        if kind is None or kind == "n":
            return self._number(value, self._format(cell))
        if kind == "b":
            return "TRUE" if value.strip() in {"1", "true"} else "FALSE"
        if kind == "d":
            return _moment(value)
        return shown_text(_unescaped(value), self._format(cell)) if kind == "str" else value

    def _number(self, value: str, code: str) -> str:
        if (not code or code == "General") and _PLAIN.fullmatch(value):
            return value
        try:
            number = float(value)
        except ValueError:
            return value
        if not math.isfinite(number):
            return value
        return shown_number(number, code, from_1904=self.workbook.from_1904) if code else general(number)

    def _format(self, cell: etree._Element) -> str:
        formats = self.workbook.formats
        style = whole_number(cell.get("s") or "", len(formats), len(formats))
        return formats[style] if style < len(formats) else ""

    def _formula(self, formula: etree._Element, row: int, column: int) -> str:
        """A formula as it stands in this cell: a shared one is written out in its first cell only."""
        written, shared = formula.text or "", formula.get("si") if formula.get("t") == "shared" else None
        if shared is None:
            return written
        if written:
            self._shared[shared] = (written, row, column)
            return written
        first, first_row, first_column = self._shared.get(shared, ("", 0, 0))
        return _moved(first, row - first_row, column - first_column)


def _moved(formula: str, rows: int, columns: int) -> str:
    """A formula with its relative references moved."""

    def moved(found: re.Match[str]) -> str:
        if found[2] is None:
            return found[0]
        column = found[2] if found[1] else numeral(max(1, column_of(found[2]) + columns + 1), "A")
        row = found[4] if found[3] else str(max(1, int(found[4]) + rows))
        return f"{found[1]}{column}{found[3]}{row}"

    return _RELATIVE.sub(moved, formula)


def _moment(value: str) -> str:
    """A date of a strict workbook, without a midnight."""
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return value
    return moment.isoformat(" ", "seconds").removesuffix(" 00:00:00")


def _unescaped(text: str) -> str:
    """A text in which control characters are written as `_x000D_`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text

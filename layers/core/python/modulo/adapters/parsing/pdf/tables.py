"""Turns ruled tables, and lines of text in columns, into tables with rows of cells."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modulo.adapters.parsing.pdf.cell_text import CellText, runs_of
from modulo.adapters.parsing.pdf.lines import Line, join_lines, lines_of, rows_of
from modulo.adapters.parsing.pdf.placed_lines import placed_lines
from modulo.adapters.parsing.pdf.ruled_tables import RuledTable, cells_of
from modulo.domain.text.table_rows import CELL

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.geometry import DrawnPage, Run
    from modulo.domain.documents.placement import PlacedLine

_MAX_CELL_LENGTH = 1_500  # characters: longer ones are a page laid out in boxes
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(
    r"[$€£¥]?\s?[(+\u2212\u2013-]?\s?[$€£¥]?\s?\d[\d.,\u2019' ]{0,24}\d?\s?%?\)?\s?%?"
    r"(?:[*\u2020]|[⁰¹²³⁴-⁹]{1,2}|\s?[xX])?"
)
_NO_NUMBER = re.compile(r"[\u2014\u2013\u2212-]{1,2}|n/?[am]\.?|N/?[AM]\.?|nm|NM|\*")
PERIOD = re.compile(r"(?:FY\s?|Q[1-4]\s?)?(?:19|20)\d\d(?:[/-]\d\d)?[AE]?\*?")
_SIGN_BEFORE = re.compile(r"[$€£¥(]")
_SIGN_BEHIND = re.compile(r"[%)]|\)\s?%")
_MAX_HEADER_ROWS = 4
Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `order` is its position in the page's content stream, `title` a first row that spans all columns.

    `left` and `right` are where it stands on the page.
    """

    rows: Rows
    order: int
    title: str = ""
    left: float = 0.0
    right: float = 0.0

    @property
    def text(self) -> str:
        """The rows, one a line."""
        return "\n".join(map(_row_text, self.rows))

    def lines_on(self, page: DrawnPage) -> Iterator[PlacedLine]:
        """Where the text of the cells stands; that of a header from another page stands nowhere."""
        start = 0
        for row in self.rows:
            at = start
            for cell in row:
                yield from placed_lines(cell, runs_of(cell), page, at)
                at += len(cell) + len(CELL)
            start += len(_row_text(row)) + 1


def _row_text(row: Sequence[str]) -> str:
    return CELL.join(row).rstrip()


def is_number(text: str) -> bool:
    """Whether a cell holds a figure, or a sign that stands for one."""
    text = text.strip()
    return bool(_NUMBER.fullmatch(text) or _NO_NUMBER.fullmatch(text))


def table_from_rules(ruled: RuledTable, known_words: Container[str]) -> Table | None:
    """The table inside ruling lines; None if they frame something else, such as a drawing."""
    bands = cells_of(ruled)
    if _are_boxes(bands):
        return None
    if len(bands) <= 2:  # the only horizontal line is the one below the header
        bands[-1:] = _split(bands[-1])
    bands = [row for band in bands for row in (_split(band, fewest=2) if _holds_columns_of_figures(band) else [band])]
    rows = [[_text(cell, known_words) for cell in band] for band in bands]
    return _table(rows, ruled.runs)


def _are_boxes(bands: list[list[list[Run]]]) -> bool:
    """Whether the cells have columns inside, like the boxes of a drawing."""
    lines = [line for band in bands for cell in band for line in rows_of(cell)]
    return sum(len(line.runs) > 1 for line in lines) * 4 > len(lines)


def _holds_columns_of_figures(band: list[list[Run]]) -> bool:
    """Whether most cells behind the first have several figures below each other."""
    cells = [cell for cell in band[1:] if cell]
    figures = [cell for cell in cells if len(cell) > 1 and all(is_number(run.text) for run in cell)]
    return len(figures) * 2 > len(cells) > 0 and len({len(cell) for cell in figures}) == 1


def _split(band: list[list[Run]], fewest: int = 3) -> list[list[list[Run]]]:
    """The rows of a band without horizontal rules: one a line, unless the lines look like wrapped text."""
    columns = {id(run): column for column, cell in enumerate(band) for run in cell}
    lines = rows_of(run for cell in band for run in cell)
    filled = [{columns[id(run)] for run in line.runs} for line in lines]
    used = sum(map(bool, band))
    if len(lines) < fewest or sum(map(len, filled)) * 5 < len(lines) * used * 3:
        return [band]
    rows: list[list[list[Run]]] = []
    for line, found in zip(lines, filled, strict=True):
        if not rows or 0 in found or len(found) > 1:
            rows.append([[] for _ in band])
        for run in line.runs:
            rows[-1][columns[id(run)]].append(run)
    return rows


def _text(cell: list[Run], known_words: Container[str]) -> str:
    lines = lines_of(sorted(cell, key=lambda run: run.order))
    return CellText(
        join_lines([line.text for line in lines], known_words), (run for line in lines for run in line.runs)
    )


def _table(rows: Rows, runs: Sequence[Run]) -> Table | None:
    """The table without empty rows and columns; None if too little is left to be a table."""
    rows = [row for row in rows if any(row)]
    title = ""
    if len(rows) > 2 and sum(map(bool, rows[0])) == 1 and sum(map(bool, rows[1])) > 1:
        title = next(filter(None, rows.pop(0)))
    rows = _with_signs(rows)
    used = [column for column in range(len(rows[0]) if rows else 0) if any(row[column] for row in rows)]
    rows = [[row[column] for column in used] for row in rows]
    if len(rows) < 2 or len(used) < 2 or max(len(cell) for row in rows for cell in row) > _MAX_CELL_LENGTH:
        return None
    filled = sum(bool(cell) for row in rows for cell in row)
    if filled * 2 <= len(rows) * len(used):
        return None
    order, left, right = min(run.order for run in runs), min(run.left for run in runs), max(run.right for run in runs)
    return Table(_with_one_header(rows), order, title, left, right)


def _with_signs(rows: Rows) -> Rows:
    """The rows with currency and percent signs beside their figures, where these stand in columns of their own."""
    rows = [list(row) for row in rows]
    for column in range(len(rows[0]) if rows else 0):
        texts = [row[column].strip() for row in rows if row[column].strip()]
        if not texts:
            continue
        # A header may stand over the sign's column.
        signs = texts if len(texts) < 3 else texts[1:]
        if column + 1 < len(rows[0]) and all(map(_SIGN_BEFORE.fullmatch, signs)):
            for row in rows:
                apart = " " if row[column] and not _SIGN_BEFORE.fullmatch(row[column]) and row[column + 1] else ""
                row[column + 1] = _together(row[column], row[column + 1], apart)
                row[column] = ""
        elif column and all(map(_SIGN_BEHIND.fullmatch, signs)):
            for row in rows:
                apart = " " if row[column] and not _SIGN_BEHIND.fullmatch(row[column]) and row[column - 1] else ""
                row[column - 1] = _together(row[column - 1], row[column], apart)
                row[column] = ""
    return rows


def _together(one: str, other: str, between: str) -> str:
    return CellText(f"{one}{between}{other}".strip(), runs_of(one, other))


def _with_one_header(rows: Rows) -> Rows:
    """The rows of a table of figures with its header rows as one, so that each column is named in full."""
    count = 0
    while count < min(_MAX_HEADER_ROWS, len(rows) - 1) and not _has_figures(rows[count]):
        count += 1
    body = [cell for row in rows[count:] for cell in row[1:] if cell]
    if count < 2 or sum(map(is_number, body)) * 2 < len(body) or any(not any(row[1:]) for row in rows[1:count]):
        return rows
    header = [""] * len(rows[0])
    for number, row in enumerate(rows[:count]):
        over = ""
        for column, text in enumerate(row):
            if column and (text or number == count - 1):
                over = text
            said = over if column else text
            if said and not header[column].endswith(said):
                header[column] = _together(header[column], said, " ")
    return [header, *rows[count:]]


def _has_figures(row: Sequence[str]) -> bool:
    return any(is_number(cell) and not PERIOD.fullmatch(cell.strip()) for cell in row[1:])


def table_from_alignment(lines: Sequence[Line], known_words: Container[str]) -> Table | None:
    """The table without rules that lines with wide gaps make; None if their runs do not align in columns."""
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
    all_runs = [run for line in lines for run in line.runs]
    return _table([[_text(cell, known_words) for cell in row] for row in rows], all_runs)


def _columns(runs: Sequence[Run]) -> list[float]:
    """The x coordinates at which columns start: behind each vertical gap that no run crosses."""
    starts: list[float] = []
    end = float("-inf")
    for run in sorted(runs, key=lambda run: run.left):
        if run.left > end + 0.3 * run.height:
            starts.append(run.left - 0.1)
        end = max(end, run.right)
    return starts

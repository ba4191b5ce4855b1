"""Tables of figures without ruling lines, as in annual reports: columns of numbers behind labels, under headers."""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from modulo.adapters.parsing.pdf.cell_text import CellText, runs_of
from modulo.adapters.parsing.pdf.figure_columns import columns_of, header_of, placed
from modulo.adapters.parsing.pdf.geometry import Run
from modulo.adapters.parsing.pdf.lines import Line, join_lines
from modulo.adapters.parsing.pdf.tables import PERIOD, Table, is_number

_FIGURES = re.compile(r"[\d)%\u2014$€£\u2013] [\d$€£(\u2014%]")
_LEADERS = re.compile(r"\u2026|\.\.\.|\. \. ")
_THOUSANDS = re.compile(r"\d{3}(?!\d)")
_CURRENCY = re.compile(r"[$€£¥]\s?\(?|\(")
_TRAILER = re.compile(r"%|\)|\)\s?%|pts?|bps|x")
_OPEN_LABEL = re.compile(
    r"(?:,|-|\b(?:and|or|of|for|to|in|on|from|before|after|with|by|the|per|und|oder|f\u00fcr|von|aus|vor|nach))$"
)
_FEWEST_ROWS = 2
_MAX_LABELS_BETWEEN = 3
_MAX_HEADER_LINES = 5
_MAX_LABEL_LENGTH = 160
_MAX_FIGURE_LENGTH = 40
_SPACING = 2.6  # times the height: lines further apart are not of one table


@dataclass(slots=True)
class _Row:
    """A line cut into cells; `numbers` are those that hold a figure or stand for one."""

    line: Line
    cells: list[Run]
    numbers: list[Run]

    @property
    def is_data(self) -> bool:
        """Whether it has a label and figures behind it, or figures alone, and little else."""
        if not self.numbers or len(self.cells) < 2 or len(self.cells) - len(self.numbers) > 1:
            return False
        label = next((cell for cell in self.cells if cell not in self.numbers), self.cells[0])
        return self.numbers[-1].left > label.left and not _LEADERS.search(self.line.text)

    @property
    def is_periods(self) -> bool:
        """Whether its figures are years."""
        return all(PERIOD.fullmatch(cell.text.strip()) for cell in self.numbers)


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table and the lines it is made of: from `start` up to `end`."""

    start: int
    end: int
    table: Table


def find_numeric_tables(lines: Sequence[Line], known_words: Container[str]) -> list[FoundTable]:
    """The tables of figures among lines, in order."""
    if sum(len(line.runs) > 1 for line in lines) < _FEWEST_ROWS:
        return []
    rows = [_row(line) for line in lines]
    found: list[FoundTable] = []
    start = taken = 0
    while start < len(rows):
        if not rows[start].is_data:
            start += 1
            continue
        end = _end(rows, start)
        first = _with_headers(rows, start, end, taken)
        if table := _table(rows, first, start, end, known_words):
            found.append(FoundTable(first, end, table))
            taken = end
        start = end
    return found


def _row(line: Line) -> _Row:
    cells = _cells(line)
    return _Row(line, cells, [cell for cell in cells if len(cell.text) < _MAX_FIGURE_LENGTH and is_number(cell.text)])


def _cells(line: Line) -> list[Run]:
    """The line's runs, cut between figures; signs that belong to a figure are part of it."""
    pieces: list[Run] = []
    for run in line.runs:
        pieces += _cut(run)
    cells: list[Run] = []
    for piece in pieces:
        before = cells[-1] if cells else None
        text = piece.text.strip()
        if before and _CURRENCY.fullmatch(before.text.strip()) and is_number(text):
            cells[-1] = replace(piece, text=before.text.strip() + text, left=before.left, gaps=[])
        elif before and _TRAILER.fullmatch(text) and is_number(before.text):
            cells[-1] = replace(before, text=before.text.strip() + text, right=piece.right, gaps=[])
        else:
            cells.append(piece)
    return cells


def _cut(run: Run) -> list[Run]:
    """The run in pieces where one figure ends and another begins."""
    if not run.gaps or not _FIGURES.search(run.text):
        return [run]
    places = []
    for gap in run.gaps:
        before, after = run.text[: gap.offset].rstrip(), run.text[gap.offset :]
        if _THOUSANDS.match(after) and before[-1:].isdigit() and gap.right - gap.left < 0.4 * run.height:
            continue
        ends = before[-1:].isdigit() or before[-1:] in ")%\u2014$€£" or before.endswith(" \u2013")
        if ends and (after[:1].isdigit() or after[:1] in "$€£(\u2014%"):
            places.append((gap.left + gap.right) / 2)
    return run.split(places) if places else [run]


def _end(rows: Sequence[_Row], start: int) -> int:
    """Where the figures end: behind the last line that has some, with labels alone in between."""
    end = start + 1
    labels = 0
    left = rows[start].numbers[0].left
    for number in range(start + 1, len(rows)):
        row, above = rows[number], rows[number - 1]
        if not _is_below(row.line, above.line):
            break
        if row.is_data:
            end, labels = number + 1, 0
            left = min(left, row.numbers[0].left)
        elif _is_label(row, left) and labels < _MAX_LABELS_BETWEEN:
            labels += 1
        else:
            break
    while end < len(rows) and _goes_on(rows[end], rows[end - 1]):
        end += 1
    return end


def _is_below(line: Line, above: Line) -> bool:
    height = max(above.runs[0].height, line.runs[0].height)
    return 0 < above.bottom - line.bottom < _SPACING * height


def _is_label(row: _Row, left: float) -> bool:
    """Whether a line stands in the column of labels alone: figures begin at `left`."""
    if len(row.cells) != 1 or len(row.cells[0].text) > _MAX_LABEL_LENGTH or row.cells[0].text.endswith("."):
        return False
    return row.cells[0].right < left + 2


def _goes_on(row: _Row, above: _Row) -> bool:
    """Whether a line is the rest of the label above it, behind whose first line the figures stand."""
    text = row.cells[0].text if len(row.cells) == 1 else ""
    height = row.line.runs[0].height
    close = 0 < above.line.bottom - row.line.bottom < 1.35 * height
    return close and text[:1].islower() and bool(above.numbers) and row.cells[0].right < above.numbers[0].left


def _with_headers(rows: Sequence[_Row], start: int, end: int, taken: int) -> int:
    """Where the headers over the figures begin."""
    numbers = [cell for row in rows[start:end] for cell in row.numbers]
    left = min(cell.left for cell in numbers)
    labels = [row.cells[0].left for row in rows[start:end] if row.cells and not is_number(row.cells[0].text)]
    first = start
    for number in range(start - 1, max(taken, start - _MAX_HEADER_LINES) - 1, -1):
        row = rows[number]
        if not _is_below(rows[first].line, row.line):
            break
        over = [cell for cell in row.cells if cell.right > left - 4 and cell.left > min(labels, default=left) + 20]
        aside = [cell for cell in row.cells if cell not in over]
        is_note = not over and row.line.text.startswith("(") and row.line.text.endswith(")")
        if not (over or (is_note and number == first - 1)) or len(aside) > 1:
            break
        if any(len(cell.text) > 60 for cell in row.cells) and not is_note:
            break
        first = number
        if is_note:
            break
    return first


def _table(rows: Sequence[_Row], first: int, start: int, end: int, known_words: Container[str]) -> Table | None:
    body = list(rows[start:end])
    headers = list(rows[first:start])
    while body and body[0].is_data and body[0].is_periods and len(body) > 1:
        headers.append(body.pop(0))
    if sum(row.is_data for row in body) < _FEWEST_ROWS - bool(headers):
        return None
    columns = columns_of([cell for row in body for cell in row.numbers])
    if len(columns) == 1 and not headers and _are_page_numbers(body):
        return None
    cells = [placed(row.cells, columns) for row in body]
    merged = _merged_labels(body, cells, known_words)
    if len(columns) + 1 < 2 or len(merged) + bool(headers) < 2:
        return None
    if headers:
        merged.insert(0, header_of([row.cells for row in headers], columns))
    if all(not row[0] for row in merged):
        merged = [row[1:] for row in merged]
    if len(merged[0]) < 2:
        return None
    lines = [row.line for row in (*headers, *body)]
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    return Table(merged, rows[first].line.order, "", left, right)


def _are_page_numbers(body: Sequence[_Row]) -> bool:
    """Whether the figures are those of a table of contents."""
    texts = [cell.text.strip() for row in body for cell in row.numbers[-1:]]
    if not all(text.isdigit() and len(text) < 4 for text in texts):
        return False
    numbers = list(map(int, texts))
    return len(numbers) > 1 and numbers == sorted(numbers)


def _merged_labels(body: Sequence[_Row], cells: list[list[str]], known_words: Container[str]) -> list[list[str]]:
    """The rows with labels that go over several lines put together."""
    merged: list[list[str]] = []
    for number, (row, texts) in enumerate(zip(body, cells, strict=True)):
        label = texts[0]
        if merged and number and label:
            before = merged[-1]
            alone_before, alone = not any(before[1:]), not any(texts[1:])
            close = body[number - 1].line.bottom - row.line.bottom < 1.6 * row.line.runs[0].height
            continues = label[:1].islower() or (bool(_OPEN_LABEL.search(before[0])) and not before[0].endswith(":"))
            if close and continues and (alone_before or alone):
                before[0] = CellText(join_lines([before[0], label], known_words), runs_of(before[0], label))
                before[1:] = before[1:] if alone else texts[1:]
                continue
        merged.append(list(texts))
    return merged

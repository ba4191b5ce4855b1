"""Rows of tables, a line each: their cells, which of them head the columns, and which name groups of rows."""

import re
from collections.abc import Sequence

CELL = " | "
"""Between the cells of a table's row."""
MAX_HEADER_ROWS = 4

_CELL_END = re.compile(r"(?<!\S)\|(?!\S)")  # of an empty cell only one space is left
_LETTERS = re.compile(r"[^\W\d_]+")
_TOLD_PERIODS = (
    "fy fiscal year years ended ending end quarter quarters month months january february march april may june july "
    "august september october november december jan feb mar apr jun jul aug sep sept oct nov dec"
)
_TOLD_UNITS = (
    "as at of in the for first second third fourth three six nine twelve q thousand thousands million millions billion "
    "billions usd eur gbp rmb amount amounts unaudited restated note notes"
)
_PERIODS = frozenset(_TOLD_PERIODS.split())
_OF_PERIODS_AND_UNITS = _PERIODS | frozenset(_TOLD_UNITS.split())
_YEAR = re.compile(r"(?:19|20)\d\d")
_SYMBOLS = re.compile(r"[$\u20ac\u00a3\u00a5%]")
_PERIOD_END = re.compile(r"\b(?:ended|ending|as (?:at|of))\b", re.IGNORECASE)
_OF_ALL_ROWS = re.compile(r"\(.*\)|.*:")  # such as (in millions)
_PLAIN_YEAR = re.compile(r"\b(?:(?:19|20)\d\d|FY ?\d\d)\b")


def is_row(line: str) -> bool:
    """Whether it is a row of a table; one that has lost the space beside its first or last cell, too."""
    return bool(_CELL_END.search(line))


def cells(row: str) -> list[str]:
    """The cells of a row, empty ones too."""
    return [cell.strip() for cell in _CELL_END.split(row)]


def names_group(row: str) -> bool:
    """Whether a row names the group that the rows below it are of: nothing but its first cell says something."""
    values = cells(row)
    return len(values) > 1 and bool(values[0]) and not any(values[1:])


def ends_group(row: str) -> bool:
    """Whether a row is the last of its group, the sum of the others."""
    return cells(row)[0].lower().startswith("total")


def column_names(header: Sequence[str]) -> list[str]:
    """The names of the columns: those of several header rows joined, where a cell without text goes on to the left."""
    rows = [cells(row) for row in header]
    width = max(map(len, rows))
    names: list[list[str]] = [[] for _ in range(width)]
    for number, row in enumerate(rows):
        last = ""
        spans = number + 1 < len(rows)
        for column, cell in enumerate(row):
            last = cell or (last if spans else "")
            if last and (cell or column):
                names[column].append(last)
    return [" ".join(dict.fromkeys(name)) for name in names]


def header_rows(rows: Sequence[str]) -> int:
    """How many of a table's first rows are its header: the first, and those below it that hold no figures.

    One whose first cell says something, such as the unit of all figures, is among them where it tells the years that
    the rows above it leave open, or the periods where those only name the table. A table of a single row has none, nor
    has one of names and values, such as "Date | 9 April" above "Author | Ada".
    """
    if len(rows) == 1 or _names_and_values(rows):
        return 0
    count = 1
    while count < min(len(rows) - 1, MAX_HEADER_ROWS):
        told = _told(rows[count])
        if not told or not all(map(_heads_column, told)):
            break
        if cells(rows[count])[0] and not _tells_columns(rows[count], rows[:count]):
            break
        count += 1
    return count


def _names_and_values(rows: Sequence[str]) -> bool:
    """Whether a table of two columns begins with a figure and goes on with words."""
    first, *others = (cells(row) for row in rows)
    if len(first) != 2 or not all(first) or not any(map(str.isdigit, first[1])):
        return False
    words = sum(not any(map(str.isdigit, row[-1])) for row in others)
    return all(len(row) == 2 for row in others) and words * 2 >= len(others)


def _tells_columns(row: str, header: Sequence[str]) -> bool:
    """Whether a row whose first cell says something tells of the columns what the header rows above it leave open."""
    told, above = _told(row), [cell for one in header for cell in _told(one)]
    if not above and all(map(_names_column, told)) and any(map(_PERIOD_END.search, told)):
        return True
    if not any(map(_tells_year, told)) or any(map(_tells_year, above)):
        return False
    return bool(_OF_ALL_ROWS.fullmatch(cells(row)[0])) or _leave_years_open(header)


def _leave_years_open(header: Sequence[str]) -> bool:
    """Whether header rows name no columns, or such as a fiscal year without its number."""
    told = [cell for row in header for cell in _told(row)]
    words = {word for cell in told for word in _LETTERS.findall(cell.lower())}
    units_alone = all(map(_names_column, told))
    return not any(map(_tells_year, told)) and (units_alone or not words.isdisjoint(_PERIODS))


def _told(row: str) -> list[str]:
    """The cells that say something, without the first one."""
    return [cell for cell in cells(row)[1:] if cell]


def _names_column(cell: str) -> bool:
    """Whether a cell tells a period or a unit rather than a figure."""
    words = _LETTERS.findall(cell.lower())
    return all(word in _OF_PERIODS_AND_UNITS for word in words) and bool(words or _YEAR.search(cell))


def _heads_column(cell: str) -> bool:
    """Whether a cell may head a column: it tells a period or a unit, or words, but no figure."""
    says = cell[0].isalpha() or not any(map(str.isdigit, _YEAR.sub("", cell)))
    return _names_column(cell) or (says and bool(_LETTERS.search(cell) or _SYMBOLS.search(cell)))


def _tells_year(cell: str) -> bool:
    """Whether a cell that may head a column tells a year, as 2019, FY19 or June 2019, rather than a figure."""
    return _heads_column(cell) and bool(_PLAIN_YEAR.search(cell))

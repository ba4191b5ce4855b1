"""Rows of tables: which head the columns, and which name groups."""

import pytest

from modulo.domain.text.table_rows import column_names, ends_group, header_rows, is_row, names_group


@pytest.mark.parametrize(
    ("row", "names"),
    [("Sensors | |", True), ("Sensors |", True), ("Sensors | 1", False), (" | 1", False), ("|", False)],
)
def test_a_row_with_nothing_behind_its_first_cell_names_a_group(row: str, *, names: bool) -> None:
    assert is_row(row)
    assert names_group(row) is names


def test_a_line_without_cells_is_no_row_and_names_no_group() -> None:
    assert not is_row("Sensors")
    assert not names_group("Sensors")


def test_a_sum_ends_its_group() -> None:
    assert ends_group("Total sensors | 7")
    assert not ends_group("Sensors in total | 7")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["one | row"], 0),
        (["part | size", "AB-1 | 0"], 1),
        (["| Years ended", "| 2019 | 2018", "Sales | 1 | 2"], 2),
        (["| Fiscal |", "| 2019 | 2018", "| (in millions) |", "Sales | 1 | 2"], 3),
        (["Expense | Limit", "Hotel | 160 EUR", "Meals | 55 EUR"], 1),
        (["| A | B", "| 15 | 22", "Sales | 1 | 2"], 1),
        (["| 2019", "| Fiscal"], 1),
        (["Emissions as reported | | |", "Emissions from: | FY19** | FY18", "Fuel | 59,495 | 66,300"], 2),
        (["| Years ended December 31, | |", "(in thousands) | 2019 | 2018", "Sales | 1 | 2"], 2),
        (["Emissions | | |", "Fuel | 1950 | 77", "Other | 1 | 2"], 1),
        (["Part | 2019 | 2018", "Sold | 1950 | 1977", "Kept | 1 | 2"], 1),
        (["Part | North | South", "Sold | 1950 | 1977", "Kept | 1 | 2"], 1),
        (["| | ", "Year | 2019 | 2018", "Sold | 1950 | 1977", "Kept | 1 | 2"], 2),
        (["| | Years ended |", "| 2019 | 2018 | Increase | %", "Sales | 1 | 2 | 3 | 4"], 2),
        (["| Fiscal Year | | Variance in", "(in millions) | 2018 | 2017 | Dollar", "Sales | 1 | 2 | 3"], 2),
        (["| Sold as of May 31, | Price", "Issued | 2019 | in total", "Jun-2018 | 458,202 | 9", "All | 1 | 2"], 2),
        (["| Reported | | Effect", "| Old rule | Rule 606 | 2019 over 2018", "Sales | 1 | 2 | 3"], 2),
        (["Told below | | |", "| | in tonnes*", "Emissions from: | FY19** | FY18**", "Fuel | 59,495 | 66,300"], 3),
        (["Office | |", "Indicators | For the year ended 31 December |", "| 2019 | 2018", "Energy | 1 | 2"], 3),
        (["| Revised | Period", "(In millions) | As of August 1, 2019 | As of May 31, 2019", "Debt | 1 | 2"], 2),
        (["Date | 9 April 2031, 16:42", "Author | Ada", "Lift | G-3"], 0),
        (["Office | 31 Dec 2031", "North | 148", "South | 37"], 1),
        (["Date | 9 April 2031 | 7", "Author | Ada | 8"], 1),
        (["Plan | |", "Term | 12 months | 24 months", "Fee | 1 | 2"], 1),
        (["| 2019 | 2018", "From: | FY19 | FY18", "Fee | 1 | 2"], 1),
        (["| Plan A | Plan B", "Valid until | 2025 | 2026", "Fee | 1 | 2"], 1),
        (["| Plan A | Plan B", "| 2 weeks | 3 litres", "Fee | 1 | 2"], 1),
        (["Plan | A | B", "| \u2013 | \u2013", "Fee | 1 | 2"], 1),
        (["Plan | A | B", "Covers | teeth | eyes", "Fee | 1 | 2"], 1),
    ],
)
def test_header_rows_are_counted(rows: list[str], expected: int) -> None:
    assert header_rows(rows) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["part | size"], ["part", "size"]),
        (
            ["| Domestic | | Foreign |", "| 2019 | 2018 | 2019 | 2018"],
            ["", "Domestic 2019", "Domestic 2018", "Foreign 2019", "Foreign 2018"],
        ),
        (["| Sold |"], ["", "Sold", ""]),
    ],
)
def test_columns_are_named_by_all_header_rows(header: list[str], expected: list[str]) -> None:
    assert column_names(header) == expected

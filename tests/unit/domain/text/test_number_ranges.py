"""Ranges of numbers, and which numbers lie within them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.text.number_ranges import amounts, ranges


def within(number: str, text: str) -> bool:
    return any(span.holds(one) for span in ranges(text) for one in amounts(number).values())


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("I am 45", "18 to 64"),
        ("65", "65 and over"),
        ("800 people", "more than 500 persons"),
        ("35 tonnes", "less than 40 tonnes"),
        ("14", "14-17"),
        ("3 years", "2 to 5 years"),
        ("10 months", "6 months to 2 years"),
        ("1,200", "from 1,000 on"),
        ("5 Tage", "bis 10 Tage"),
        ("20", "at most 20"),
        ("9", "10+, under 10"),
    ],
)
def test_a_number_lies_within_a_range(number: str, text: str) -> None:
    assert within(number, text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("45", "0 to 13"),
        ("500", "more than 500"),
        ("40", "less than 40"),
        ("3 years", "up to 6 months"),
        ("3 days", "up to 6"),
        ("2019", "more than 500"),  # a year
        ("45", "version 4.1.0 to 99.9.9"),
        ("45", "from 1 March, until 9 pm"),
        ("11", "9 to 12 uhr"),
        ("2", "2019 to 2022"),
    ],
)
def test_or_outside(number: str, text: str) -> None:
    assert not within(number, text)


def test_the_numbers_of_ranges_dates_and_versions_are_no_amounts() -> None:
    assert list(amounts("2 to 5 of 7 parts, 3 May 2024, 4.1.0, 1,500 of 2.5")) == ["7", "1500", "2.5"]


@given(st.integers(0, 1_800), st.integers(0, 1_800), st.integers(0, 1_800))
def test_from_one_to_another_holds_what_lies_between(low: int, high: int, number: int) -> None:
    assert within(f"{number} parts", f"{low} to {high} parts") == (low <= number <= high)

"""Words and numbers as they are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.answers.entailment import numbers_in
from modulo.domain.text.stemming import content_words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cities", "city"),
        ("The Founding", "founded"),
        ("Emigrate", "emigrated"),
        ("companies'", "company's"),
        ("\uff26\uff35\uff2c\uff2c", "full"),
        ("straße", "STRASSE"),
        ("isn't it", "was it not"),
        ("", "of the and"),
    ],
)
def test_words_of_one_meaning_are_equal(one: str, other: str) -> None:
    assert content_words(one) == content_words(other)


@pytest.mark.parametrize(("one", "other"), [("bus", "bush"), ("won", "one"), ("1", "2"), ("東京", "京都")])
def test_words_of_other_meanings_are_not(one: str, other: str) -> None:
    assert content_words(one) != content_words(other)


def test_scripts_without_spaces_are_compared_by_pairs() -> None:
    assert content_words("東京都") == ["東京", "京都"]


@given(st.text(max_size=100))
def test_words_are_found_in_any_text(text: str) -> None:
    assert all(content_words(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,233 km and 1233", {"1233"}),
        ("3.50 or 3,50", {"3.50"}),
        ("1,234,567.8", {"1234567.8"}),
        ("007 and 0", {"7", "0"}),
        ("the 18th of May 2020.", {"18", "2020"}),
        ("Q3 and v1.2", set()),
        ("$2.2 billion, 5%", {"2.2", "5"}),
    ],
)
def test_numbers(text: str, expected: set[str]) -> None:
    assert numbers_in(text) == expected

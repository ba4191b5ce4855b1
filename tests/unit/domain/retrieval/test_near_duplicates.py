"""Passages that nearly repeat others."""

from modulo.domain.retrieval.near_duplicates import distinct
from tests.unit.passages import passage

TEXT = "The vault opens at noon on every working day, and the guard keeps the only key to it in the tower."
A = passage(TEXT, name="a.txt")


def test_what_repeats_a_better_passage_is_left_out() -> None:
    copy = passage(TEXT, name="copy.txt")
    nearly = passage(TEXT.replace("guard", "warden"), name="nearly.txt")
    other = passage("The bakery opens at six.", name="other.txt")
    assert distinct([A, copy, other, nearly, other]) == [A, other]
    assert distinct([nearly, A]) == [nearly]
    assert distinct([]) == []


def test_other_figures_are_another_statement() -> None:
    last, this = (passage(f"{TEXT} It was so in {year}.", name=f"{year}.txt") for year in (2024, 2025))
    assert distinct([last, this]) == [last, this]


def test_a_passage_that_says_more_stays() -> None:
    more = passage(f"{TEXT} After a robbery it stays closed for a week, whoever asks.", name="more.txt")
    assert distinct([A, more]) == [A, more]

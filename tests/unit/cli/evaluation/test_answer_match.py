"""When an answer holds a gold answer."""

import pytest

from modulo.cli.evaluation.answer_match import holds


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("“It was Paris.” [1]", "paris"),
        ("The stores sold 1,000 units", "1000 units"),
        ("It costs $1,496.5 a year", "1496.5"),
        ("in the Battle of a Bulge", "battle of the bulge"),
        ("vitamin A helps", "A"),
        ("AE3-100 | Aerie 3", "AE3 100"),
        ("于1998年在北京举行", "1998年"),
        ("\uff46\uff55\uff4c\uff4c\u3000width", "full width"),
        ("COSTS 3.90 EUR", "3.90 eur"),
    ],
)
def test_held(text: str, gold: str) -> None:
    assert holds(text, gold)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("parish", "paris"),
        ("ten 100", "1000"),
        ("1,00 units", "100"),
        ("28 years", "8 years"),
        ("3.90", "90"),
        ("one two", "one x two"),
        ("anything", "…"),
        ("", "x"),
        ("1998月", "1998年"),
    ],
)
def test_not_held(text: str, gold: str) -> None:
    assert not holds(text, gold)

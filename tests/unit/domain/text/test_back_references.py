"""Sentences that point back to the one before them."""

import pytest

from modulo.domain.text.back_references import points_back, stands_alone


@pytest.mark.parametrize(
    "sentence",
    [
        "It takes place on Sundays.",
        "1.3 They are announced.",
        "After that they are given to a charity.",
        "If you cancel later, we charge the first night.",
        "Two of them can be charged.",
        "Sie entscheidet innerhalb von zwei Wochen.",
        "Danach darf das Kind kommen.",
        "In diesem Fall ist ein Attest nötig.",
    ],
)
def test_pronouns_and_words_of_sequence_point_back(sentence: str) -> None:
    assert points_back(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Items are kept.",
        "Italy is warm.",
        "Later than noon, we close.",
        "The offer ends later.",
        "Das Essen kostet 4 Euro.",
    ],
)
def test_others_do_not(sentence: str) -> None:
    assert not points_back(sentence)


def test_one_that_names_its_subject_can_be_understood_alone() -> None:
    assert stands_alone("Leave that is not taken by then is lost.")
    assert not stands_alone("It is lost.")

import pytest

from modulo.domain.text.negation import agrees, clauses, denies


@pytest.mark.parametrize(
    "text",
    [
        "It does not work.",
        "It doesn't work.",
        "It doesn\u2019t.",
        "No refunds.",
        "Das gilt nicht.",
        "Kein Urlaub.",
        "Ce n'est pas vrai.",
        "Nunca.",
        "\u8fd9\u4e0d\u662f",
    ],
)
def test_denials_are_told(text: str) -> None:
    assert denies(text)


@pytest.mark.parametrize(
    "text", ["It works.", "No. 5 is here.", "No. AB-7 | Nos. | No. of pieces", "Notable notes.", "Das gilt."]
)
def test_affirmations_are_told(text: str) -> None:
    assert not denies(text)


def test_clauses_end_at_commas_and_contrasts() -> None:
    assert clauses("It covers parts, but not labour (see below).") == [
        "It covers parts",
        "not labour",
        "see below",
        ".",
    ]
    assert clauses("Not included \u2026 Taxes | 7") == ["Not included", "Taxes | 7"]


@pytest.mark.parametrize(
    ("statement", "evidence", "expected"),
    [
        ("The plan covers dental care.", ["The plan covers dental care"], True),
        ("The plan does not cover dental care.", ["The plan covers dental care"], False),
        ("The plan covers dental care.", ["The plan does not cover dental care"], False),
        ("The plan does not cover dental care.", ["The plan covers dental care", "not vision"], False),
        (
            "Dental care is covered, vision care is not covered.",
            ["dental care is covered", "no vision care is covered"],
            True,
        ),
        ("Yes.", ["Nothing of the kind"], True),
    ],
)
def test_a_statement_agrees_with_the_clauses_that_say_most_of_it(
    statement: str, evidence: list[str], expected: bool
) -> None:
    assert agrees(statement, evidence) is expected

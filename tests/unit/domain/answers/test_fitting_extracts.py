"""Extracts that are of the kind which a question asks for."""

import pytest

from modulo.domain.answers.extracts import extracts
from modulo.domain.answers.fitting_extracts import fitting
from tests.unit.passages import passage


def fit(question: str, text: str, *, heading: str = "", name: str = "rules.txt") -> list[str]:
    found = [passage(text, heading=heading, name=name)]
    return [one.quoted for one in fitting(question, extracts(question, found), found)]


def test_who_leads_is_answered_by_what_names_somebody() -> None:
    assert fit("Who runs the bakery?", "The bakery opens at six. Ms Orr runs all of it.") == ["Ms Orr runs all of it."]
    assert fit("Wer leitet den Chor?", "Der Chor probt montags im Saal. Den Chor leitet Frau Ott.") == [
        "Den Chor leitet Frau Ott."
    ]
    assert fit("When does the bakery open?", "The bakery opens at six.") == ["The bakery opens at six."]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Why are bikes not allowed?", "Bikes stay outside. Music is forbidden, because birds breed."),
        ("Why is the lift slow?", "The lift stops at each floor. The stairs are closed due to repairs."),
        ("Why must helmets be worn?", "Helmets are worn. Gloves are changed since they tear."),
        ("Warum sind Hunde verboten?", "Hunde sind verboten. Lärm ist untersagt, weil Vögel brüten."),
        ("Weshalb ist das Tor zu?", "Das Tor bleibt zu. Der Keller ist wegen Wasser gesperrt."),
    ],
)
def test_the_cause_of_something_else_is_no_answer(question: str, text: str) -> None:
    found = fit(question, text, heading="House rules")
    assert found == [f"{text.partition('.')[0]}."]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Why are bikes not allowed?", "Bikes stay outside, because the floor is new."),
        ("Why are bikes not allowed?", "Bikes stay outside. This is because the floor is new."),
        ("Why are bikes not allowed?", "Bikes stay outside. The reason is the new floor."),
        ("Why are vehicles not allowed?", "Cars stay outside, because the floor is new."),
        ("Why was it closed?", "The river rose. The road was closed since the bridge broke."),
        ("Warum sind Hunde verboten?", "Hunde sind verboten, weil Vögel brüten."),
    ],
)
def test_a_cause_that_may_be_meant_stays(question: str, text: str) -> None:
    assert any(text.endswith(one) for one in fit(question, text))


def test_below_a_question_that_is_asked_a_cause_needs_no_word_of_it() -> None:
    text = "Why are bikes not allowed?\nIt is steep because of hills.\n\nWhere may bikes stay?\nBikes stay outside."
    assert "It is steep because of hills." in fit("Why are bikes not allowed?", text)


def test_a_row_may_tell_the_cause_of_anything() -> None:
    table = "Rule | Cause\nBikes | Set since 2019, because of the floor\nMusic | because of birds"
    assert len(fit("Why are bikes not allowed?", table)) == 2


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What are the opening hours?", "Opening hours"),
        ("How do I return a parcel?", "Return of a parcel"),
        ("What is the refund policy of Acme?", "Refund policy"),
        ("Wie sind die Öffnungszeiten?", "Die Öffnungszeiten"),
        ("Was kostet die Rückgabe?", "Rückgabe: Was die Rückgabe kostet"),
        ("When is the library open?", "Town library rules"),
    ],
)
def test_a_title_that_only_repeats_the_question_says_nothing(question: str, text: str) -> None:
    assert fit(question, text, name="town-library-rules.txt") == []


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Is smoking allowed?", "Smoking allowed"),
        ("Which is open, pool or sauna?", "Sauna open"),
        ("What about dogs?", "No dogs"),
        ("What are the opening hours?", "Opening hours 9 to 5"),
        ("What are the opening hours?", "Those are the opening hours."),
        ("Sind Hunde erlaubt?", "Hunde erlaubt"),
    ],
)
def test_what_says_more_stays(question: str, text: str) -> None:
    assert fit(question, text) == [text]

"""What kind of thing a question asks for, and which texts tell one."""

import pytest

from modulo.domain.answers.answer_kinds import (
    asks_figure,
    asks_meaning,
    asks_why,
    may_tell_why,
    tells_figure,
    tells_why,
)


@pytest.mark.parametrize(
    "text",
    [
        "It is closed, because it rains.",
        "It is closed for cleaning.",
        "It is dark to save power.",
        "Es ist zu, damit es kühlt.",
        "As the auditors demanded, it ends.",
        "Otherwise the warranty lapses.",
    ],
)
def test_texts_that_may_tell_a_cause(text: str) -> None:
    assert may_tell_why(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is open to all members.",
        "It runs for 24 months.",
        "It lasts as long as you like.",
        "Leave is paid.",
        "It goes to Kent.",
    ],
)
def test_texts_that_tell_none(text: str) -> None:
    assert not may_tell_why(text)
    assert not tells_why(text)


def test_only_explicit_words_tell_one_for_certain() -> None:
    assert tells_why("It is closed because it rains.")
    assert not tells_why("It is closed for cleaning.")


@pytest.mark.parametrize(
    "question", ["Why is it shut?", "What is the reason?", "Warum ist es zu?", "How come it is shut?"]
)
def test_questions_for_a_cause(question: str) -> None:
    assert asks_why(question)
    assert not asks_figure(question)


@pytest.mark.parametrize("question", ["When is it?", "How long is it?", "Wie viel kostet es?", "Bis wann geht es?"])
def test_questions_for_a_figure(question: str) -> None:
    assert asks_figure(question)
    assert not asks_why(question)


def test_texts_that_tell_a_figure() -> None:
    assert all(map(tells_figure, ("5 days", "on Sundays", "twice a year", "in May", "zwei Wochen", "kostenlos")))
    assert not any(map(tells_figure, ("It may rain.", "Maintenance does not count.", "Es regnet.")))


@pytest.mark.parametrize("question", ["What does E-12 mean?", "What is the meaning of P3?", "Was bedeutet E-12?"])
def test_questions_for_a_meaning(question: str) -> None:
    assert asks_meaning(question)
    assert not asks_meaning("When does E-12 appear?")

"""Questions fall into the parts that ask for something of their own, in English and German."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.answers.decomposition import MAX_DEPTH, Part, decompose

WHOLE = [
    "How tall is the tower?",
    "salt and pepper",
    "What is research and development?",
    "What does the Fair Credit and Reporting Act say?",
    "How do I connect the station and the base unit?",
    "What are the hours between the start and the end of core time?",
    "When do core hours start and end?",
    "What is the limit for hotels and meals?",
    "Who is the author, who works in Tarnby?",
    "I am new here. When do I take the training?",
    "Please answer briefly. What is a mast? Thanks.",
    "Why? Because and what is it?",
    "Which plan is it, then?",
    "Compare everything.",
    "Compare one with",
    "Is it this, or",
    "and",
    "?",
    ", , ,",
]
PARTS = [
    ("Who met and what for?", ["Who met?", "what for?"]),
    ("How tall is the tower? Who built the bridge?", ["How tall is the tower?", "Who built the bridge?"]),
    ("How tall is the tower? How tall is the tower?", ["How tall is the tower?"]),
    ("How tall is it? how tall is it? " * 200, ["How tall is it?"]),
    ("Who is Ann? How old is she? Who is Ann?", ["Who is Ann?", "How old is she? (Ann)"]),
    ("Where is Oslo; how many people live in Bergen", ["Where is Oslo?", "how many people live in Bergen?"]),
    ("What is a? What is b? What is c? What is d?", ["What is a?", "What is b?", "What is c? What is d?"]),
    (
        "Can I carry over leave, and can I split it up?",
        ["Can I carry over leave?", "can I split it up? (Can I carry over leave)"],
    ),
    ("Is it waterproof or do I need a cover?", ["Is it waterproof?", "do I need a cover?"]),
    ("Tell me what it costs. List the colours.", ["Tell me what it costs?", "List the colours?"]),
    ("How and by when do I report sick?", ["How do I report sick?", "by when do I report sick?"]),
    ("Where and when is the office open?", ["Where is the office open?", "when is the office open?"]),
    ("How much and how often do I pay?", ["How much do I pay?", "how often do I pay?"]),
    (
        "Wie viele Tage Urlaub gibt es und wie lange dauert die Elternzeit?",
        ["Wie viele Tage Urlaub gibt es?", "wie lange dauert die Elternzeit?"],
    ),
    ("Was kostet die Station sowie der Mast?", ["Was kostet die Station?", "Was kostet der Mast?"]),
    ("What is a. Nothing else; and who knows?", ["What is a. Nothing else?", "who knows?"]),
]
POINTING = [
    ("What does the mast cost and how much does it weigh?", "how much does the mast weigh?"),
    ("What caused the incident? What will change because of it?", "What will change because of the incident?"),
    ("What does the mast cost and what is its weight?", "what is the mast's weight?"),
    ("How long is the warranty of the mast and when does it begin?", "when does the mast begin?"),
    (
        "Which of the very many large old stations are out of order and how long do they last?",
        "how long do they last? (of the very stations out of order)",
    ),
    ("Wie lange läuft die Batterie und wann muss sie ersetzt werden?", "wann muss die Batterie ersetzt werden?"),
    ("When is it and what does that mean?", "what does that mean? (When is it)"),
]


@pytest.mark.parametrize("question", WHOLE)
def test_a_question_that_asks_for_one_thing_stays_as_it_is(question: str) -> None:
    assert decompose(question) == (Part(question),)


@pytest.mark.parametrize(("question", "parts"), PARTS)
def test_each_question_of_several_is_a_part(question: str, parts: list[str]) -> None:
    assert [part.question for part in decompose(question)] == parts


@pytest.mark.parametrize(("question", "second"), POINTING)
def test_a_part_that_points_back_names_what_it_points_to(question: str, second: str) -> None:
    assert [part.question for part in decompose(question)][1:] == [second]


def test_a_part_waits_for_the_answer_that_names_whom_it_points_to() -> None:
    first, second = decompose("Who is the officer and how can she be reached?")
    assert (first.waits, second.waits) == (False, True)
    assert second.question == "how can she be reached? (the officer)"
    assert second.knowing("Noor Haddad").question == "how can she be reached? (the officer: Noor Haddad)"
    assert Part("Why?").knowing("it broke").question == "Why? (it broke)"


def test_no_more_parts_than_asked_for() -> None:
    question = "What is a? What is b? What is c?"
    assert [part.question for part in decompose(question, 2)] == ["What is a?", "What is b? What is c?"]
    assert decompose(question, 1) == (Part(question),)


@given(st.text(min_size=1))
def test_any_text_has_one_to_the_most_parts(text: str) -> None:
    parts = decompose(text)
    assert 1 <= len(parts) <= MAX_DEPTH
    assert all(part.question for part in parts)


_PIECES = st.sampled_from(
    (
        *("what", "how", "who", "compare", "between", "vs", "and", "or", "as", "well", "the", "a", "of", "it", "its"),
        *("she", "do", "is", "can", "cost,", ",", ";", "?", ":", "with", "station", "3", "und", "wie", "die", "List."),
    )
)


@given(st.lists(_PIECES, min_size=1, max_size=40))
def test_any_order_of_their_words_has_too(words: list[str]) -> None:
    parts = decompose(" ".join(words))
    assert 1 <= len(parts) <= MAX_DEPTH
    assert all(part.question for part in parts)


def test_a_very_long_question_takes_no_longer_than_its_length() -> None:
    assert len(decompose("what is it and the " * 400)) <= MAX_DEPTH
    assert len(decompose("compare the a, the b " * 400)) <= MAX_DEPTH

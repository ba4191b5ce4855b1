"""Decomposing questions and combining the answers to their parts."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.answer import NOT_FOUND, Answer, Cited
from modulo.domain.chunk import Chunk
from modulo.domain.file import DocumentInfo, FileRef
from modulo.domain.passage import Hit, LiveDocument, Passage
from modulo.domain.reasoning import MOST_STEPS, Step, combine, decompose

REF = FileRef(UUID(int=1), UUID(int=2), UUID(int=3), 1)


def passage(number, score=0.5):
    document = LiveDocument(REF.file_id, 1, "a.txt", 9, DocumentInfo(), "")
    return Passage(Hit(REF, Chunk(number, f"Text {number}.", 1, 0, 7), score, "a.txt"), document)


def step(question, passages, text, *marks):
    cited = tuple(Cited(mark, passages[mark - 1], passages[mark - 1].text) for mark in marks)
    return Step(question, tuple(passages), Answer(text, cited), tokens=3, seconds=0.1)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("How tall is the tower?", ["How tall is the tower?"]),
        ("salt and pepper", ["salt and pepper"]),
        ("Who met and what for?", ["Who met?", "what for?"]),
        ("How tall is the tower? Who built the bridge?", ["How tall is the tower?", "Who built the bridge?"]),
        ("Where is Oslo; how many people live in Bergen", ["Where is Oslo?", "how many people live in Bergen?"]),
        ("Who wrote Emma and when was it published?", ["Who wrote Emma?", "when was it published? (Who wrote Emma)"]),
        ("What is a? What is b? What is c? What is d?", ["What is a?", "What is b?", "What is c? What is d?"]),
        ("Why? Because and what is it?", ["Why? Because and what is it?"]),
    ],
)
def test_questions_fall_into_their_parts(question, parts):
    assert decompose(question) == parts


@given(st.text(min_size=1))
def test_any_text_has_one_to_the_most_parts(text):
    parts = decompose(text)
    assert 1 <= len(parts) <= MOST_STEPS
    assert all(parts)


def test_marks_count_the_passages_of_all_steps():
    one, two, three = passage(1), passage(2, 0.7), passage(3, 0.9)
    steps = [step("a?", [one, two], "A [2]. See [99].", 2), step("b?", [three, two], "B [1][2].", 1, 2)]
    passages, answer = combine(steps)
    assert passages == (one, two, three)
    assert answer.text == "A [2]. See [99].\nB [3][2]."
    assert [(cited.mark, cited.passage) for cited in answer.cited] == [(2, two), (3, three)]
    assert [found.confidence for found in steps] == [0.7, 0.9]


def test_a_part_without_an_answer_adds_none():
    found, missing = step("a?", [passage(1)], "A [1].", 1), step("b?", [passage(2)], NOT_FOUND)
    assert combine([found, missing])[1].text == "A [1]."
    assert combine([missing, missing])[1] == Answer(NOT_FOUND, ())
    assert missing.confidence is None

"""Whatever a draft holds, an answer cites only what is there."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modulo.domain.answers.answer import AnswerDraft
from modulo.domain.answers.citations import check_citations
from modulo.domain.answers.outcome import NOT_FOUND
from modulo.domain.retrieval.passage import Passage
from tests.unit.passages import passage

WORDS = [
    "Rhine",
    "river",
    "1,233",
    "km",
    "long",
    "the",
    "is",
    "“",
    "”",
    '"',
    "…",
    "Alps.",
    "It",
    "rises",
    "\n",
    "|",
    "No. 5",
]
MARKS = [
    "[1]",
    "[2]",
    "[3]",
    "[9]",
    "[1, 2]",
    "[1-3]",
    "[0]",
    "[[1]",
    "2]",
    "【2】",
    "([1])",
    "[passage 3]",
    "[1](http://x)",
    "[]",
]
PASSAGE = st.lists(st.sampled_from([*WORDS, "[1]", "[2]", "?"]), min_size=1, max_size=30).map(" ".join)
DRAFT = st.lists(st.sampled_from([*WORDS, *MARKS, ".", ":", "- ", ","]), max_size=40).map(" ".join) | st.text(
    max_size=200
)


@given(DRAFT, st.lists(PASSAGE, max_size=4), st.integers(1, 5))
@example("Rhine river [1]. [[1]2] Rhine river", ["Rhine river", "Rhine river"], 1)
def test_every_citation_is_of_a_passage_and_quotes_it(draft: str, texts: list[str], most: int) -> None:
    passages: list[Passage] = [passage(text, name=f"{n}.txt") for n, text in enumerate(texts)]
    answer = check_citations(AnswerDraft(draft), passages, max_citations=most)
    assert len(answer.cited) <= most
    for cited in answer.cited:
        assert cited.passage is passages[cited.mark - 1]
        assert 0 < len(cited.excerpt) <= 500
        assert cited.excerpt in " ".join(cited.passage.text.split())
    cited_marks = [cited.mark for cited in answer.cited]
    assert len(set(cited_marks)) == len(cited_marks)
    left = {int(mark) for mark in re.findall(r"\[\s?(\d{1,3})\s?\]", answer.text)}
    assert left == set(cited_marks)
    if not answer.found:
        assert answer.text == NOT_FOUND


@given(st.lists(PASSAGE, min_size=1, max_size=3))
def test_a_checked_answer_stands_up_to_another_check(texts: list[str]) -> None:
    passages = [passage(text) for text in texts]
    draft = " ".join(f"{text} [{n}]" for n, text in enumerate(texts, start=1))
    answer = check_citations(AnswerDraft(draft), passages, max_citations=5)
    again = check_citations(AnswerDraft(answer.text), passages, max_citations=5)
    assert {cited.mark for cited in again.cited} <= {cited.mark for cited in answer.cited}


@pytest.mark.parametrize(
    "draft",
    ['"' * 50_000, "[1" * 50_000, "[1]" * 20_000, "a [1]. " * 5_000, "«" * 50_000, " " * 100_000 + "[1]", "“" * 50_000],
)
def test_hostile_drafts_take_no_time(draft: str) -> None:
    started = time.process_time()
    check_citations(AnswerDraft(draft), [passage("a b c. " * 100)], max_citations=5)
    assert time.process_time() - started < 30

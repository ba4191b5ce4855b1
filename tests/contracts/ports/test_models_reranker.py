"""What every reranker promises: without a model, and with the local model server."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from modulo.adapters.models.cohere_reranker import CohereReranker
from modulo.adapters.models.word_overlap_reranker import WordOverlapReranker
from modulo.ports.models import Reranker

Environment = dict[str, str]
QUESTION = "How long is the Rhine?"
TEXTS = [
    "Interest rates rose sharply this quarter.",
    "The Rhine is 1,233 km long and flows to the North Sea.",
    "The Alps are a range of mountains.",
]


def served(environment: Environment) -> CohereReranker:
    url, key = environment["RERANK_URL"], environment["RERANK_API_KEY"]
    return CohereReranker(url, api_key=key, model="ms-marco-MiniLM-L-12-v2", timeout=60)


@pytest.fixture(params=["memory", "server"])
def reranker(request: pytest.FixtureRequest) -> Iterator[Reranker]:
    if request.param == "memory":
        yield WordOverlapReranker()
        return
    with closing(served(request.getfixturevalue("models"))) as reranker:
        yield reranker


def test_the_text_that_answers_scores_highest(reranker: Reranker) -> None:
    scores = reranker.score(QUESTION, TEXTS)
    assert max(scores) == scores[1] > 0.4
    assert scores[0] < 0.1


def test_scores_come_in_the_order_of_the_texts_from_0_to_1(reranker: Reranker) -> None:
    forwards, backwards = reranker.score(QUESTION, TEXTS), reranker.score(QUESTION, TEXTS[::-1])
    assert forwards == pytest.approx(backwards[::-1], abs=0.02)
    assert all(0 <= score <= 1 for score in forwards)


def test_no_texts_no_scores(reranker: Reranker) -> None:
    assert reranker.score(QUESTION, []) == []


def test_equal_texts_score_alike(reranker: Reranker) -> None:
    scores = reranker.score(QUESTION, [TEXTS[1]] * 20)
    assert scores == pytest.approx([scores[0]] * 20, abs=0.001)


@pytest.mark.parametrize("question", ["?", "what is it", "日本", "long " * 1_600])
@pytest.mark.parametrize("text", ["", " ", "日本語", "word " * 5_000])
def test_any_question_and_text_have_a_score(reranker: Reranker, question: str, text: str) -> None:
    (score,) = reranker.score(question, [text])
    assert 0 <= score <= 1


def test_it_answers_when_asked(reranker: Reranker) -> None:
    reranker.ping()

"""What a reranker over HTTP makes of a provider's answers, good and bad."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from modulo.adapters.models.cohere_reranker import CohereReranker
from modulo.domain.errors import BadModelAnswer, Throttled, Unavailable
from tests.contracts.provider import Answer, Provider


@contextmanager
def reranker_of(provider: Provider) -> Iterator[CohereReranker]:
    with closing(CohereReranker(provider.url + "/v2", api_key="key", model="rerank-v3.5", timeout=5)) as reranker:
        yield reranker


def results(*scores: tuple[Any, Any]) -> dict[str, Any]:
    return {"results": [{"index": index, "relevance_score": score} for index, score in scores]}


def test_scores_are_put_in_the_order_of_the_texts() -> None:
    with Provider(Answer(results((2, 0.9), (0, 0.5), (1, 0.1)))) as provider, reranker_of(provider) as reranker:
        assert reranker.score("q", ["a", "b", "c"]) == [0.5, 0.1, 0.9]
    (asked,) = provider.asked
    assert asked.path == "/v2/rerank"
    assert asked.body == {"model": "rerank-v3.5", "query": "q", "documents": ["a", "b", "c"], "top_n": 3}


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b'{"results": [{"index": 0, "relevance_score": NaN}, {"index": 1, "relevance_score": 0}]}',
        [],
        {},
        {"results": None},
        {"results": ["a", "b"]},
        results(),
        results((0, 0.5)),
        results((0, 0.5), (0, 0.5)),
        results((0, 0.5), (2, 0.5)),
        results((0, 0.5), (1, 1.5)),
        results((0, 0.5), (1, -0.5)),
        results((0, 0.5), (1, "much")),
        results((0, 0.5), (1, None)),
        results((0, 0.5), ("b", 0.1)),
    ],
)
def test_an_answer_that_cannot_be_used_is_a_bad_one(body: Any) -> None:
    with Provider(Answer(body)) as provider, reranker_of(provider) as reranker, pytest.raises(BadModelAnswer):
        reranker.score("q", ["a", "b"])


def test_failures_name_the_reranker() -> None:
    with (
        Provider(Answer(status=503)) as provider,
        reranker_of(provider) as reranker,
        pytest.raises(Unavailable) as failed,
    ):
        reranker.score("q", ["a"])
    assert failed.value.extra["dependency"] == "reranker"


def test_too_many_requests_pass_on_when_to_come_back() -> None:
    answer = Answer(status=429, headers={"Retry-After": "4"})
    with Provider(answer) as provider, reranker_of(provider) as reranker, pytest.raises(Throttled) as throttled:
        reranker.score("q", ["a"])
    assert throttled.value.retry_after == 4

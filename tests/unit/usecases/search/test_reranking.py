"""Reranking: how much is read, and what happens where the reranker does not answer."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any, cast
from uuid import UUID

import pytest

from modulo.adapters.models.cohere_reranker import CohereReranker
from modulo.domain.errors import BadModelAnswer, RefusedByModel, Throttled, Unavailable
from modulo.domain.retrieval.filters import EVERYTHING
from modulo.domain.retrieval.passage import Passage
from modulo.domain.search.search import ConfigMetadata, SearchInput
from modulo.domain.tenancy.quota import Quotas
from modulo.ports.models import Reranker
from modulo.usecases.search.limits import SearchLimits
from modulo.usecases.search.ports import SearchPorts
from modulo.usecases.search.reranking import MORE_WORDS, READ_FIRST, WINDOW_WORDS, rerank
from modulo.usecases.search.run import SearchRun
from tests.contracts.provider import Answer, Provider
from tests.doubles.memory_metrics import MemoryMetrics
from tests.unit.passages import passage

QUESTION = "How long is the warranty?"


class Scripted:
    """A reranker whose scores a test chooses by the text; it keeps what it read."""

    name = "scripted"

    def __init__(self, scores: dict[str, float] | None = None, error: Exception | None = None) -> None:
        self.scores, self.error, self.read = scores or {}, error, list[list[str]]()

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        self.read.append(list(texts))
        if self.error:
            raise self.error
        return [next((score for part, score in self.scores.items() if part in text), 0.1) for text in texts]

    def ping(self) -> None:
        """Nothing to check."""


def run_with(reranker: Reranker | None, *, most: int = 20, seconds: float = 5, **config: Any) -> SearchRun:
    request = SearchInput(question=QUESTION, collection_id=UUID(int=1), config_metadata=ConfigMetadata(**config))
    nothing = cast("Any", None)
    ports = SearchPorts(
        grants=nothing,
        usage=nothing,
        cache=nothing,
        vectors=nothing,
        embedder=nothing,
        reranker=reranker,
        generator=nothing,
        metrics=MemoryMetrics(),
        clock=nothing,
    )
    limits = SearchLimits(
        max_top_k=100,
        embedding_seconds=5,
        rerank_candidates=most,
        rerank_seconds=seconds,
        result_ttl=0,
        embedding_ttl=0,
        rerank_model="scripted",
        quotas=Quotas(),
    )
    return SearchRun(
        principal=nothing,
        request=request,
        collections=request.collections,
        where=EVERYTHING,
        questions=[QUESTION],
        plan=nothing,
        ports=ports,
        limits=limits,
    )


def found(count: int) -> list[Passage]:
    return [passage(f"Passage number {n}.", name=f"p{n}.txt", score=1 - n / 100) for n in range(count)]


def test_no_more_than_the_first_are_read_where_one_is_clear() -> None:
    reranker = Scripted({"number 3.": 0.99})
    passages = rerank(run_with(reranker), QUESTION, found(30))
    assert [len(texts) for texts in reranker.read] == [READ_FIRST]
    assert passages[0].text == "Passage number 3."
    assert sum(one.reranked is not None for one in passages) == READ_FIRST
    assert len(passages) == 30


def test_all_candidates_are_read_where_none_is_clear() -> None:
    reranker = Scripted({"number 17.": 0.8})
    passages = rerank(run_with(reranker), QUESTION, found(30))
    assert [len(texts) for texts in reranker.read] == [READ_FIRST, 20 - READ_FIRST]
    assert passages[0].text == "Passage number 17."


@pytest.mark.parametrize(("count", "most", "calls"), [(3, 20, [3]), (30, 4, [4]), (7, 20, [5, 2])])
def test_no_more_are_read_than_there_are(count: int, most: int, calls: list[int]) -> None:
    reranker = Scripted()
    assert len(rerank(run_with(reranker, most=most), QUESTION, found(count))) == count
    assert [len(texts) for texts in reranker.read] == calls


def test_relevances_fall_and_are_from_0_to_1() -> None:
    scores = [one.score for one in rerank(run_with(Scripted({"number 1": 0.7})), QUESTION, found(30))]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_passage_that_holds_a_rare_word_of_the_question_is_first_where_the_reranker_is_even() -> None:
    told = passage("The warranties end.", name="told.txt", score=0.5)
    headed = passage("They end.", name="headed.txt", heading="Warranty", score=0.5)
    others = [passage(f"Passage number {n}.", name=f"p{n}.txt", score=0.5) for n in range(8)]
    ranked = rerank(run_with(Scripted()), QUESTION, [*others, told, headed])
    assert {one.document.name for one in ranked[:2]} == {"told.txt", "headed.txt"}
    assert ranked[0].reranked == ranked[-1].reranked


def test_a_rare_word_counts_by_the_spelling_that_the_passages_have() -> None:
    others = [passage(f"Passage number {n}.", name=f"p{n}.txt", score=0.5) for n in range(8)]
    told = passage("The warranty ends.", name="told.txt", score=0.5)
    assert rerank(run_with(Scripted()), "How long is the warrenty?", [*others, told])[0].document.name == "told.txt"


RAIN = "Rain fell on the town. "
LONG = f"{RAIN * 30}The warranty lasts two years. {RAIN * 30}"


@pytest.mark.parametrize("place", [0, READ_FIRST])
def test_of_long_passages_a_window_is_read(place: int) -> None:
    reranker = Scripted()
    passages = found(6)
    passages[place] = passage(LONG, score=0.1)
    rerank(run_with(reranker), QUESTION, passages)
    text = next(text for texts in reranker.read for text in texts if "Rain" in text)
    assert "The warranty lasts two years." in text
    assert len(text.split()) <= WINDOW_WORDS + 1


def test_more_is_read_of_the_best_long_passages_where_none_is_clear() -> None:
    reranker = Scripted({"town": 0.5})
    long = [passage(LONG, name=f"p{n}.txt", score=0.9 - n / 100) for n in range(4)]
    rerank(run_with(reranker), QUESTION, [*long, *found(4)])
    assert [len(texts) for texts in reranker.read] == [READ_FIRST, 2, 3]
    assert all(WINDOW_WORDS < len(text.split()) <= MORE_WORDS + 1 for text in reranker.read[1])


def test_a_window_that_says_too_little_by_itself_is_found_by_what_stands_around_it() -> None:
    class Around(Scripted):
        def score(self, question: str, texts: Sequence[str]) -> list[float]:
            self.read.append(list(texts))
            return [0.999 if text.count("Rain") > WINDOW_WORDS / 4 else 0.4 for text in texts]

    reranker = Around()
    passages = rerank(run_with(reranker), QUESTION, [*found(4), passage(LONG, name="long.txt"), *found(9)])
    assert [len(texts) for texts in reranker.read] == [READ_FIRST, 1]
    assert (passages[0].document.name, passages[0].reranked) == ("long.txt", 0.999)


def test_a_passage_counts_by_its_better_reading() -> None:
    class Shy(Scripted):
        def score(self, question: str, texts: Sequence[str]) -> list[float]:
            self.read.append(list(texts))
            return [0.2 if text.count("Rain") > WINDOW_WORDS / 4 else 0.4 for text in texts]

    passages = rerank(run_with(Shy()), QUESTION, [passage(LONG, name="long.txt"), *found(4)])
    assert [one.reranked for one in passages if one.document.name == "long.txt"] == [0.4]


@pytest.mark.parametrize("reranker", [None, Scripted()])
def test_passages_stay_as_they_are_where_nothing_is_to_be_reranked(reranker: Scripted | None) -> None:
    passages = found(3)
    assert rerank(run_with(reranker, disable_rerank=True), QUESTION, passages) is passages
    assert not reranker or not reranker.read


def test_nothing_is_reranked_where_nothing_was_found() -> None:
    assert rerank(run_with(Scripted()), QUESTION, []) == []


@pytest.mark.parametrize("error", [Throttled(), Unavailable(), BadModelAnswer(), RefusedByModel("too long")])
def test_a_reranker_that_fails_leaves_the_order_and_is_named(error: Exception) -> None:
    run, passages = run_with(Scripted(error=error)), found(3)
    assert rerank(run, QUESTION, passages) is passages
    assert run.degraded == {"reranker"}


def test_a_reranker_that_takes_too_long_leaves_the_order_and_is_named() -> None:
    with (
        Provider(Answer(pause=30)) as provider,
        closing(CohereReranker(provider.url, api_key=None, model="m", timeout=30)) as reranker,
    ):
        run, passages = run_with(reranker, seconds=0.2), found(3)
        assert rerank(run, QUESTION, passages) is passages
    assert run.degraded == {"reranker"}
    assert run.seconds == {}


@pytest.mark.parametrize("scores", [[0.5], [0.5, 0.5, float("nan")], [0.5, 0.5, 1.5], ["x", 1, 1], [0.1] * 4])
def test_a_reranker_that_answers_nonsense_leaves_the_order_and_is_named(scores: list[Any]) -> None:
    results = [{"index": index, "relevance_score": score} for index, score in enumerate(scores)]
    with (
        Provider(Answer(body={"results": results})) as provider,
        closing(CohereReranker(provider.url, api_key=None, model="m", timeout=30)) as reranker,
    ):
        run, passages = run_with(reranker), found(3)
        assert rerank(run, QUESTION, passages) is passages
    assert run.degraded == {"reranker"}

"""The questions' vectors: how long they are waited for, and who can do without them."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest

from modulo.adapters.models.openai_embedder import OpenAIEmbedder
from modulo.domain.collections.collection import EmbeddingModel, Space
from modulo.domain.collections.grant import Grant
from modulo.domain.errors import BadModelAnswer, ModuloError, Throttled, TimedOut, Unavailable
from modulo.domain.retrieval.fusion import SearchType
from modulo.domain.retrieval.search_defaults import SearchDefaults
from modulo.domain.retrieval.vector import encode_vector
from modulo.ports.deadline import remaining
from modulo.usecases.search.cache import _EMBEDDED, CachedVectors
from modulo.usecases.search.question_vectors import question_vectors
from modulo.usecases.search.run import SearchRun
from tests.contracts.provider import Answer, Provider
from tests.unit.usecases.search.test_reranking import QUESTION, run_with

GOOD, OUT = (EmbeddingModel(name=name, dimensions=2, query_prefix="query: ") for name in ("good", "out"))
NOTHING_CACHED = CachedVectors({})


class Embedder:
    """One of whose models is out; it keeps what it was asked for, and the time it was given."""

    def __init__(self, error: ModuloError) -> None:
        self.error, self.asked, self.seconds = error, list[tuple[str, list[str]]](), 0.0

    def embed(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append((model.name, list(texts)))
        self.seconds = remaining(99)
        if model is OUT:
            raise self.error
        return [[1.0, 0.0]] * len(texts)


def run_over(embedder: Any, **config: Any) -> SearchRun:
    run = run_with(None, **config)
    return replace(run, ports=replace(run.ports, embedder=cast("Any", embedder)))


def grant(model: EmbeddingModel, search_type: SearchType | None = None, number: int = 1) -> Grant:
    space = Space(UUID(int=1), UUID(int=number), UUID(int=3), model, dedicated=False)
    return Grant(space=space, version=1, defaults=SearchDefaults(search_type=search_type))


@pytest.mark.parametrize("error", [Unavailable(), TimedOut(), Throttled(), BadModelAnswer()])
def test_a_hybrid_search_goes_on_by_words(error: ModuloError) -> None:
    embedder = Embedder(error)
    run, grants = run_over(embedder), [grant(OUT), grant(GOOD, number=2)]
    vectors, embedded = question_vectors(run, grants, NOTHING_CACHED)
    assert vectors == embedded == {OUT: {}, GOOD: {QUESTION: [1.0, 0.0]}}
    assert (run.degraded, run.unembedded) == ({"embedder"}, {OUT: error})
    assert [run.ranking(one).search_type for one in grants] == [SearchType.text, SearchType.hybrid]
    assert embedder.seconds <= run.limits.embedding_seconds

    asked = len(embedder.asked)
    assert question_vectors(run, grants[:1], NOTHING_CACHED) == ({}, {})
    assert len(embedder.asked) == asked, "what did not answer is not waited for again"


@pytest.mark.parametrize(
    ("config", "defaults"),
    [({"search_type": "dense"}, [None]), ({}, [SearchType.dense]), ({}, [SearchType.hybrid, SearchType.dense])],
)
def test_a_search_by_vectors_only_fails(config: dict[str, Any], defaults: list[SearchType | None]) -> None:
    run = run_over(Embedder(Unavailable("out")), **config)
    with pytest.raises(Unavailable, match="out"):
        question_vectors(run, [grant(OUT, one) for one in defaults], NOTHING_CACHED)
    assert (run.degraded, run.unembedded) == (set(), {})


@pytest.mark.parametrize("search_type", ["hybrid", "dense"])
def test_an_embedder_that_hangs_is_waited_for_no_longer_than_the_limit(search_type: str) -> None:
    with Provider(lambda asked: Answer(pause=60 if asked.path == "/embeddings" else 0)) as provider:
        embedder = OpenAIEmbedder(provider.url, api_key=None, batch_size=9, timeout=60)
        run = run_over(embedder, search_type=search_type)
        run = replace(run, limits=replace(run.limits, embedding_seconds=0.5))
        with closing(embedder):
            embedder.ping()  # its first connection is not what is waited for
            if search_type == "hybrid":
                question_vectors(run, [grant(OUT)], NOTHING_CACHED)
                [error] = run.unembedded.values()
            else:
                with pytest.raises(TimedOut) as raised:
                    question_vectors(run, [grant(OUT)], NOTHING_CACHED)
                error = raised.value
    assert (error.detail, error.extra) == ("The embedder took too long.", {"dependency": "embedder"})


def test_nothing_is_asked_for_what_the_cache_holds_or_words_find() -> None:
    stored = _EMBEDDED.dump_json(((OUT, encode_vector([0.0, 1.0])),))
    embedder = Embedder(Unavailable())
    run = run_over(embedder)
    grants = [grant(OUT), grant(GOOD, SearchType.text, number=2)]
    vectors, embedded = question_vectors(run, grants, CachedVectors({QUESTION: stored}))
    assert (vectors, embedded, embedder.asked) == ({OUT: {QUESTION: [0.0, 1.0]}}, {}, [])


def test_questions_are_embedded_with_the_prefix_of_the_model() -> None:
    embedder = Embedder(Unavailable())
    question_vectors(run_over(embedder), [grant(GOOD)], NOTHING_CACHED)
    assert embedder.asked == [("good", [f"query: {QUESTION}"])]

"""Neighbours of passages: what is asked of the vector store, and what happens where it does not answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest

from modulo.domain.answers.decomposition import Part
from modulo.domain.answers.reasoning_options import CotConfig
from modulo.domain.collections.collection import EmbeddingModel, Space
from modulo.domain.collections.grant import Grant
from modulo.domain.documents.chunk import Chunk
from modulo.domain.errors import Throttled, Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.retrieval.filter_language import parse_filters
from modulo.domain.retrieval.passage import Passage
from modulo.domain.retrieval.search_defaults import SearchDefaults
from modulo.domain.search.reasoning import Plan
from modulo.ports.deadline import remaining, within
from modulo.usecases.search.neighbors import MAX_SECONDS, with_neighbors
from modulo.usecases.search.run import SearchRun
from tests.unit.passages import passage
from tests.unit.usecases.search.test_reranking import run_with

SPACE = Space(UUID(int=1), UUID(int=2), UUID(int=3), EmbeddingModel(name="m", dimensions=2), dedicated=False)


class Store:
    """Chunks on pages of their own around every passage; it keeps what it was asked for, and the time it was given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.asked, self.seconds = error, list[tuple[Sequence[Space], Any]](), 0.0

    def chunks_at(
        self, spaces: Sequence[Space], numbers: Mapping[FileRef, Collection[int]]
    ) -> dict[FileRef, list[Chunk]]:
        self.asked.append((spaces, numbers))
        self.seconds = remaining(99)
        if self.error:
            raise self.error
        return {
            ref: [Chunk(n, f"Chunk {n} of {str(ref.file_id)[:4]}.", n + 1, 0, 16, "Above") for n in sorted(of_file)]
            for ref, of_file in numbers.items()
        }


def run_over(store: Store, *, parts: int = 1, where: Any = None, **config: Any) -> SearchRun:
    run = run_with(None, **config)
    plan = Plan("q", tuple(Part(f"part {n}") for n in range(parts)), CotConfig())
    ports = replace(run.ports, vectors=cast("Any", store))
    run = replace(run, ports=ports, plan=plan, where=parse_filters(where or {}))
    run.grants = [Grant(space=SPACE, version=1)]
    return run


def numbers(passages: Sequence[Passage]) -> list[list[int]]:
    return [[one.hit.chunk.number for one in found.neighbors] for found in passages]


def test_nothing_is_asked_for_unless_somebody_says_so() -> None:
    store, passages = Store(), [passage("A text.")]
    assert with_neighbors(run_over(store), passages) is passages
    assert with_neighbors(run_over(store, context_tokens=0), passages) is passages
    assert with_neighbors(run_over(store, context_tokens=500), []) == []
    assert store.asked == []


def test_one_request_asks_for_those_of_all_passages_where_they_are() -> None:
    store, passages = Store(), [passage("A text.", name="a.txt"), passage("Another.", name="b.txt")]
    found = with_neighbors(run_over(store, context_tokens=5_000), passages)
    assert numbers(found) == [[1, 2], [1, 2]]
    assert store.asked == [([SPACE], {one.hit.ref: {1, 2} for one in passages})]
    assert store.seconds <= MAX_SECONDS


def test_a_collection_says_how_many_unless_the_request_does() -> None:
    passages = [passage("A text.")]
    run = run_over(Store())
    run.grants = [Grant(space=SPACE, version=1, defaults=SearchDefaults(context_tokens=70))]
    assert numbers(with_neighbors(run, passages)) == [[1]]
    run = replace(run, request=run_with(None, context_tokens=0).request)
    assert numbers(with_neighbors(run, passages)) == [[]]


def test_the_parts_of_a_question_share_the_tokens() -> None:
    run = run_over(Store(), parts=2, context_tokens=140)
    assert numbers(with_neighbors(run, [passage("A text.")])) == [[1]]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"page_number": [2]}, [[1]]),
        ({"page_number": {"gte": 3}}, [[2]]),
        ({"heading": ["Below"]}, [[]]),
        ({"heading": ["Above"]}, [[1, 2]]),
    ],
)
def test_a_neighbour_meets_the_filter_as_its_passage_does(where: dict[str, Any], expected: list[list[int]]) -> None:
    run = run_over(Store(), where=where, context_tokens=500)
    assert numbers(with_neighbors(run, [passage("A text.")])) == expected


@pytest.mark.parametrize("error", [Throttled(), Unavailable()])
def test_a_store_that_fails_leaves_the_passages_and_is_named(error: Exception) -> None:
    run, passages = run_over(Store(error), context_tokens=500), [passage("A text.")]
    assert with_neighbors(run, passages) is passages
    assert run.degraded == {"neighbors"}


def test_no_time_left_leaves_the_passages_and_is_named() -> None:
    store, passages = Store(), [passage("A text.")]
    run = run_over(store, context_tokens=500)
    with within(0):
        assert with_neighbors(run, passages) is passages
    assert (run.degraded, store.asked) == ({"neighbors"}, [])

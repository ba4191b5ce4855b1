"""Reciprocal rank fusion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.fusion import fuse


def test_scores_are_those_of_the_paper() -> None:
    assert fuse([["a", "b"], ["b", "c"]], k=60) == [
        ("b", pytest.approx(1 / 62 + 1 / 61)),
        ("a", pytest.approx(1 / 61)),
        ("c", pytest.approx(1 / 62)),
    ]


def test_a_small_k_lets_first_places_count_more() -> None:
    rankings = [["a", "b", "c"], ["x", "b", "c"], ["y", "b", "c"]]
    assert fuse(rankings, k=60)[0][0] == "b"
    assert fuse([["a", "b"], ["c", "d", "b"]], k=1)[0][0] == "b"
    assert fuse([["a", "b"], ["c", "d", "e", "b"]], k=0)[0][0] == "a"


def test_nothing_gives_nothing() -> None:
    assert fuse([]) == []
    assert fuse([[], []]) == []


def test_a_repetition_counts_once() -> None:
    assert fuse([["a", "a", "b"]]) == fuse([["a", "b"]])


@given(st.lists(st.lists(st.integers(0, 20), max_size=15), max_size=4), st.integers(0, 100))
def test_every_item_once_best_first(rankings: list[list[int]], k: int) -> None:
    fused = fuse(rankings, k=k)
    assert {item for item, _ in fused} == {item for ranking in rankings for item in ranking}
    assert len({item for item, _ in fused}) == len(fused)
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


@given(st.lists(st.integers(), unique=True))
def test_one_ranking_stays_as_it_is(ranking: list[int]) -> None:
    assert [item for item, _ in fuse([ranking])] == ranking

"""Fusion of two searches by their scores."""

from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.retrieval.fusion import Candidates, fused, saturated

SCORES = st.floats(0, 1)
CANDIDATES = st.lists(st.tuples(SCORES, st.none() | st.floats(0, 60)), max_size=60)


def of_both(
    dense: Sequence[float], text: Sequence[float | None], *, weight: float = 0.4, cut: bool = True, scale: str = "model"
) -> Candidates:
    return Candidates([weight] * len(dense), dense, text, cut, scale)


def alone(dense: Sequence[float], text: Sequence[float | None], *, weight: float, cut: bool = True) -> list[float]:
    (scores,) = fused([of_both(dense, text, weight=weight, cut=cut)])
    return scores


def test_a_candidate_that_is_good_in_both_comes_before_one_that_is_best_in_one() -> None:
    scores = alone([0.90, 0.89, 0.60, 0.55], [2.0, 11.0, 12.0, 1.0], weight=0.4)
    assert scores.index(max(scores)) == 1


def test_the_weight_decides_between_the_routes() -> None:
    dense, text = [0.9, 0.5], [1.0, 9.0]
    assert alone(dense, text, weight=0) == pytest.approx([1, -1])
    assert alone(dense, text, weight=1) == pytest.approx([-1, 1])
    assert alone(dense, text, weight=0.5) == pytest.approx([0, 0])


def test_what_words_did_not_find_counts_like_the_last_one_found_or_as_nothing() -> None:
    dense = [0.5, 0.5, 0.5]
    cut = alone(dense, [9.0, 3.0, None], weight=1)
    assert cut[1] == cut[2] < cut[0]
    whole = alone(dense, [9.0, 3.0, None], weight=1, cut=False)
    assert whole[2] < whole[1] < whole[0]


def test_an_outlier_of_one_route_is_found_by_the_other() -> None:
    near = [1 - 0.002 * n for n in range(40)]
    scores = alone([*near, 0.1], [*(None for _ in near), 9.0], weight=0.4, cut=False)
    assert max(scores) == scores[-1]


@pytest.mark.parametrize("dense", [[], [0.7], [0.7, 0.7, 0.7], [0.1 + 0.2, 0.3]])
def test_scores_that_are_the_same_do_not_count(dense: list[float]) -> None:
    assert alone(dense, [None] * len(dense), weight=0.4) == [0.0] * len(dense)


@given(CANDIDATES, st.floats(0, 1), st.booleans())
def test_a_candidate_that_is_better_in_both_never_comes_later(
    candidates: list[tuple[float, float | None]], weight: float, cut: bool
) -> None:
    dense, text = [one for one, _ in candidates], [one for _, one in candidates]
    scores = alone(dense, text, weight=weight, cut=cut)
    assert len(scores) == len(candidates)
    assert all(score >= -3 for score in scores)
    known = [(d, t, score) for (d, t), score in zip(candidates, scores, strict=True) if t is not None]
    for d, t, score in known:
        assert all(score <= higher + 1e-9 for near, worded, higher in known if near >= d and worded >= t)


@given(CANDIDATES, st.integers(0, 60))
def test_collections_of_one_model_are_ranked_as_if_they_were_one(
    candidates: list[tuple[float, float | None]], at: int
) -> None:
    dense, text = [one for one, _ in candidates], [one for _, one in candidates]
    apart = fused([of_both(dense[:at], text[:at], cut=False), of_both(dense[at:], text[at:], cut=False)])
    assert list(chain.from_iterable(apart)) == pytest.approx(alone(dense, text, weight=0.4, cut=False))


def test_similarities_of_different_models_are_standardised_apart() -> None:
    """The second model's similarities are all high: that does not put what it found before everything else."""
    one, other = of_both([0.6, 0.2], [9.0, 1.0]), of_both([0.99, 0.98], [8.0, 1.0], scale="other")
    (first, second), (third, fourth) = fused([one, other])
    assert first > third > second
    assert first > third > fourth


def test_each_candidate_is_ranked_by_its_own_weight() -> None:
    words, vectors, both = (
        Candidates([1.0, 1.0], None, [9.0, 1.0]),
        Candidates([0.0], [0.9], None, scale="model"),
        of_both([0.1], [5]),
    )
    found = fused([words, vectors, both])
    assert found[0] == pytest.approx([1.2247, -1.2247], abs=1e-3)
    assert found[1] == pytest.approx([1.0])
    assert found[2] == pytest.approx([0.6 * -1.0])


def test_a_bm25_score_becomes_relevance_from_0_to_1() -> None:
    assert [saturated(score) for score in (-1.0, 0.0, 10.0, 30.0)] == [0, 0, 0.5, 0.75]

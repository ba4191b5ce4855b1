import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.retrieval.relevance import blended, log_odds, probability

SCORES = st.floats(0, 1)


@given(SCORES)
def test_log_odds_and_probability_undo_each_other(score: float) -> None:
    assert probability(log_odds(score)) == pytest.approx(score, abs=1e-6)


@given(st.floats())
def test_a_probability_is_from_0_to_1(odds: float) -> None:
    if odds == odds:
        assert 0 <= probability(odds) <= 1


def test_the_reranker_decides_where_the_first_stage_is_even() -> None:
    assert blended([0.5, 0.5, 0.5], [0.2, 0.9, 0.1]) == pytest.approx([0.2, 0.9, 0.1])


def test_the_first_stage_decides_where_the_reranker_is_even() -> None:
    first, second, third = blended([0.9, 0.5, 0.1], [0.3, 0.3, 0.3])
    assert first > second > third


def test_a_candidate_that_was_not_read_counts_as_the_median_of_those_that_were() -> None:
    assert blended([0.5] * 4, [0.1, 0.3, 0.9]) == pytest.approx([0.1, 0.3, 0.9, 0.3])


@given(st.lists(st.tuples(SCORES, SCORES), min_size=1), st.integers(min_value=1))
def test_every_candidate_has_a_relevance_from_0_to_1(pairs: list[tuple[float, float]], read: int) -> None:
    first_stage = sorted((first for first, _ in pairs), reverse=True)
    relevances = blended(first_stage, [score for _, score in pairs[:read]])
    assert len(relevances) == len(pairs)
    assert all(0 <= one <= 1 for one in relevances)

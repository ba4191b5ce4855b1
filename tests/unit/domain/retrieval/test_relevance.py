import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.retrieval.relevance import blended, coverages, log_odds, probability

SCORES = st.floats(0, 1)
HELD = st.frozensets(st.sampled_from("abcd"))
NOTHING: list[frozenset[str]] = [frozenset()] * 4


@given(SCORES)
def test_log_odds_and_probability_undo_each_other(score: float) -> None:
    assert probability(log_odds(score)) == pytest.approx(score, abs=1e-6)


@given(st.floats())
def test_a_probability_is_from_0_to_1(odds: float) -> None:
    if odds == odds:
        assert 0 <= probability(odds) <= 1


def test_the_reranker_decides_where_the_first_stage_is_even() -> None:
    assert blended([0.5, 0.5, 0.5], [0.2, 0.9, 0.1], NOTHING[:3]) == pytest.approx([0.2, 0.9, 0.1])


def test_the_first_stage_decides_where_the_reranker_is_even() -> None:
    first, second, third = blended([0.9, 0.5, 0.1], [0.3, 0.3, 0.3], NOTHING[:3])
    assert first > second > third


def test_a_candidate_that_was_not_read_counts_as_the_median_of_those_that_were() -> None:
    assert blended([0.5] * 4, [0.1, 0.3, 0.9], NOTHING) == pytest.approx([0.1, 0.3, 0.9, 0.3])


def test_the_rare_words_decide_where_both_stages_are_even() -> None:
    held = [{"year"}, {"year", "warranty"}, {"year"}]
    first, second, third = blended([0.5] * 3, [0.3] * 3, held)
    assert second > first == third


def test_words_that_all_candidates_hold_leave_the_scores_as_they_are() -> None:
    assert blended([0.5] * 3, [0.2, 0.9, 0.1], [{"year", "warranty"}] * 3) == pytest.approx([0.2, 0.9, 0.1])


def test_however_many_words_are_held_a_clear_score_stands() -> None:
    question = frozenset(map(str, range(500)))
    first, second = blended([0.5] * 2, [0.001, 0.999], [question, frozenset()])
    assert second > first


def test_a_rare_word_counts_more_than_one_that_most_hold() -> None:
    rare, common, both, neither, usual = coverages([{"a"}, {"b"}, {"a", "b"}, set(), {"b"}])
    assert neither == 0 < common == usual < rare < both == pytest.approx(1)


@given(st.lists(HELD))
def test_a_share_of_words_is_from_0_to_1(held: list[frozenset[str]]) -> None:
    assert all(0 <= share <= 1 + 1e-9 for share in coverages(held))


@given(st.lists(st.tuples(SCORES, SCORES, HELD), min_size=1), st.integers(min_value=1))
def test_every_candidate_has_a_relevance_from_0_to_1(
    triples: list[tuple[float, float, frozenset[str]]], read: int
) -> None:
    first_stage = sorted((first for first, _, _ in triples), reverse=True)
    scores, held = [score for _, score, _ in triples[:read]], [words for _, _, words in triples]
    relevances = blended(first_stage, scores, held)
    assert len(relevances) == len(triples)
    assert all(0 <= one <= 1 for one in relevances)

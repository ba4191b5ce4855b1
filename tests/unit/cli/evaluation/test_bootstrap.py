"""Intervals and differences."""

from math import sqrt

import pytest

from modulo.cli.evaluation import bootstrap
from modulo.cli.evaluation.bootstrap import difference, estimate

HALF = [(1.0, 1.0)] * 50 + [(0.0, 1.0)] * 50


def test_the_interval_of_a_share_is_about_that_of_the_normal_distribution() -> None:
    found = estimate(HALF)
    assert (found.value, found.count) == (0.5, 100)
    beside = 1.96 * sqrt(0.25 / 100)
    assert found.low == pytest.approx(0.5 - beside, abs=0.011)
    assert found.high == pytest.approx(0.5 + beside, abs=0.011)


def test_a_ratio_weighs_questions_by_their_denominators() -> None:
    found = estimate([(1, 1), (0, 3), (0, 0)])
    assert (found.value, found.count) == (0.25, 2)
    assert (found.low, found.high) == (0, 1)


def test_the_same_seed_gives_the_same_interval_in_blocks_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [(number / 7, 1 + number % 3) for number in range(40)]
    whole = estimate(values, seed=3, resamples=500)
    assert whole == estimate(values, seed=3, resamples=500)
    assert whole != estimate(values, seed=4, resamples=500)
    monkeypatch.setattr(bootstrap, "BLOCK", 700)
    assert whole == estimate(values, seed=3, resamples=500)


def test_a_difference_is_paired() -> None:
    before = [(float(number % 2), 1.0) for number in range(100)]
    after = [(1.0, 1.0) if number < 10 else pair for number, pair in enumerate(before)]
    found = difference(before, after)
    assert found.value == pytest.approx(0.05)
    assert 0 < found.low < 0.05 < found.high < 0.1
    assert (found.p or 1) < 0.02
    assert difference(after, before).value == pytest.approx(-0.05)


def test_no_difference_is_certain_to_be_none() -> None:
    found = difference(HALF, HALF)
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_a_few_questions_have_no_p_value() -> None:
    worse, better = [(0.0, 1.0)], [(1.0, 1.0)]
    assert difference(worse * 9 + [(0, 0)] * 5, better * 9 + [(0, 0)] * 5).p is None
    assert (difference(worse * 10, better * 10).p or 1) < 0.001


def test_nothing_measured_differs_by_nothing() -> None:
    assert difference([(0, 0)] * 3, [(0, 0)] * 3).value == 0
    assert estimate([(0, 0)]).value == 0


def test_runs_of_different_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="100 questions cannot be paired with 1"):
        difference(HALF, HALF[:1])

"""Confidence intervals and paired differences by the bootstrap over questions (Efron and Tibshirani 1993)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modulo.cli.evaluation.measures import Share

CONFIDENCE = 0.95
RESAMPLES = 10_000
SEED = 7
FEWEST = 10
"""Questions that a p value rests on at least."""
BLOCK = 2_000_000
"""Most draws that are held at once."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure over `count` questions, and the interval that holds its true value with 95 % confidence."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger a measure is in the second run, and the two-sided p value of there being no difference.

    `p` is None for fewer than `FEWEST` questions: resamples of a few say nothing about others.
    """

    value: float
    low: float
    high: float
    p: float | None


def estimate(shares: Sequence[Share], *, seed: int = SEED, resamples: int = RESAMPLES) -> Estimate:
    """The ratio of the sums, with its percentile interval."""
    values = np.array(shares, dtype=np.float64)
    ratios = _ratios(_resampled(values, seed, resamples))
    low, high = _interval(ratios)
    return Estimate(_ratio(values), low, high, int(np.count_nonzero(values[:, 1])))


def difference(
    before: Sequence[Share], after: Sequence[Share], *, seed: int = SEED, resamples: int = RESAMPLES
) -> Difference:
    """The second ratio less the first, each resample drawing the same questions for both.

    The p value is twice the smaller share of resamples on either side of zero, each counted with one more (Davison and
    Hinkley 1997), and so is never 0.

    Raises:
        ValueError: the runs are of different numbers of questions.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} questions cannot be paired with {len(after)}")
    both = np.array([(*one, *other) for one, other in zip(before, after, strict=True)], dtype=np.float64)
    sums = _resampled(both, seed, resamples)
    differences = _ratios(sums[:, 2:]) - _ratios(sums[:, :2])
    differences = differences[~np.isnan(differences)]
    low, high = _interval(differences)
    beside = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    p = min(1.0, 2 * (float(beside) + 1) / (len(differences) + 1))
    enough = np.count_nonzero(both[:, 1] + both[:, 3]) >= FEWEST
    return Difference(_ratio(both[:, 2:]) - _ratio(both[:, :2]), low, high, p if enough else None)


def _resampled(values: Floats, seed: int, resamples: int) -> Floats:
    """The columns' sums in each resample of the rows, drawn with replacement."""
    count = len(values)
    random = np.random.default_rng(seed)
    block = max(1, BLOCK // count)
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    chances = np.full(count, 1 / count)
    return np.concatenate([random.multinomial(count, chances, size=size) @ values for size in sizes])


def _ratios(sums: Floats) -> Floats:
    """Not a number where nothing that the measure is about was drawn."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios: Floats = sums[:, 0] / sums[:, 1]
    return ratios


def _ratio(values: Floats) -> float:
    above, below = values.sum(axis=0)
    return float(above / below) if below else 0.0


def _interval(values: Floats) -> tuple[float, float]:
    beside = (1 - CONFIDENCE) / 2
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 0.0
    low, high = np.quantile(known, [beside, 1 - beside])
    return float(low), float(high)

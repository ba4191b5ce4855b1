"""Relevance: a reranker's scores as log odds, and how they join those of the first stage."""

import math
from collections.abc import Sequence
from statistics import fmean, median, pstdev

FIRST_STAGE_WEIGHT = 1.5
"""What a standard deviation of the first stage's scores weighs, in log odds of the reranker."""
_LEAST = 1e-7
_NOISE = 1e-9  # a deviation that only rounding causes


def log_odds(score: float) -> float:
    """The log odds of a score from 0 to 1; from -16 to 16."""
    score = min(max(score, _LEAST), 1 - _LEAST)
    return math.log(score / (1 - score))


def probability(odds: float) -> float:
    """The score from 0 to 1 whose log odds these are."""
    return 1 / (1 + math.exp(-min(max(odds, -500.0), 500.0)))


def blended(first_stage: Sequence[float], read: Sequence[float]) -> list[float]:
    """A relevance from 0 to 1 for each candidate.

    `first_stage` scores all of them, best first; `read` are the reranker's scores of the first ones, at least one. To
    their log odds is added how far the first stage puts a candidate above the others. One that was not read counts as
    the median of those that were.
    """
    mean, spread = fmean(first_stage), pstdev(first_stage)
    spread = spread if spread > _NOISE else 1.0
    odds = [log_odds(score) for score in read]
    odds += [median(odds)] * (len(first_stage) - len(odds))
    return [
        probability(one + FIRST_STAGE_WEIGHT * (first - mean) / spread)
        for one, first in zip(odds, first_stage, strict=True)
    ]

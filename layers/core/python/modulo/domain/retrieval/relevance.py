"""Relevance: a reranker's scores as log odds, and how the first stage's and the question's rare words join them."""

import math
from collections import Counter
from collections.abc import Sequence, Set
from statistics import fmean, median, pstdev

FIRST_STAGE_WEIGHT = 1.0
"""What a standard deviation of the first stage's scores weighs, in log odds of the reranker."""
COVERAGE_WEIGHT = 2.0
"""What all of the question's words weigh together, in log odds."""
_LEAST = 1e-7
_NOISE = 1e-9  # a deviation that only rounding causes


def log_odds(score: float) -> float:
    """The log odds of a score from 0 to 1; from -16 to 16."""
    score = min(max(score, _LEAST), 1 - _LEAST)
    return math.log(score / (1 - score))


def probability(odds: float) -> float:
    """The score from 0 to 1 whose log odds these are."""
    return 1 / (1 + math.exp(-min(max(odds, -500.0), 500.0)))


def blended(first_stage: Sequence[float], read: Sequence[float], held: Sequence[Set[str]]) -> list[float]:
    """A relevance from 0 to 1 for each candidate.

    `first_stage` scores all of them, best first; `read` are the reranker's scores of the first ones, at least one;
    `held` are the words of the question that each of them holds. To the log odds is added how far the first stage and
    the rare words put a candidate above the others. One that was not read counts as the median of those that were.
    """
    mean, spread = fmean(first_stage), pstdev(first_stage)
    spread = spread if spread > _NOISE else 1.0
    covered = coverages(held)
    usual = fmean(covered)
    odds = [log_odds(score) for score in read]
    odds += [median(odds)] * (len(first_stage) - len(odds))
    return [
        probability(one + FIRST_STAGE_WEIGHT * (first - mean) / spread + COVERAGE_WEIGHT * (share - usual))
        for one, first, share in zip(odds, first_stage, covered, strict=True)
    ]


def coverages(held: Sequence[Set[str]]) -> list[float]:
    """The share of the question's words that each candidate holds, of those that any of them holds.

    A word counts by how few of the candidates hold it. A reranker misses that in a language that it cannot read, and
    the first stage weighs words by how rare they are among all passages, not among those that are alike.
    """
    counts = Counter(word for words in held for word in words)
    whole = sum(1 / count for count in counts.values()) or 1.0
    return [sum(1 / counts[word] for word in words) / whole for words in held]

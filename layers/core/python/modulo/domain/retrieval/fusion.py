"""Fusion of two searches, by vectors and by words, into one ranking.

Scores of both routes are standardised over all candidates (z-scores) and added by weight, as in Lee, "Analyses of
Multiple Evidence Combination" (1997): unlike ranks, they tell by how much one candidate is better than the next.
Candidates of several collections are standardised together, so that a collection that holds nothing near to the
question yields to another; only the similarities of different embedding models are standardised apart.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

TEXT_WEIGHT = 0.4
"""How much words count beside vectors where a request does not say."""
ROUTE_DEPTH = 30
"""The fewest candidates that each route is asked for: a good passage may be tenth in both."""
TYPICAL_BM25 = 10.0
"""The BM25 score that counts as half a similarity."""


class SearchType(StrEnum):
    """Which routes a search takes."""

    hybrid = "hybrid"
    dense = "dense"
    text = "text"


@dataclass(frozen=True, slots=True)
class Ranking:
    """The routes of a search, and the weight of words from 0 to 1 where it takes both."""

    search_type: SearchType = SearchType.hybrid
    text_weight: float = TEXT_WEIGHT


HYBRID = Ranking()


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the routes found together: for each candidate the scores of both routes and the weight of words."""

    text_weights: Sequence[float]
    similarities: Sequence[float] | None
    """None where vectors were not searched for."""
    bm25: Sequence[float | None] | None
    """None where words were not searched for."""
    cut: bool = True
    """Whether the search by words ended at its depth, so that it may have left candidates out."""
    scale: Hashable = None
    """What the similarities compare with: those of the same scale."""

    @property
    def worded(self) -> list[float]:
        """The BM25 scores, also of those that the search by words did not find.

        They count like the last one found where that search was cut, else 0: they share no word with the question.
        """
        known = self.bm25 or ()
        least = min((score for score in known if score is not None), default=0.0) if self.cut else 0.0
        return [least if score is None else score for score in known]


def fused(found: Sequence[Candidates]) -> list[list[float]]:
    """The fused score of each candidate, around 0, comparable over all of them."""
    scales: defaultdict[Hashable, list[int]] = defaultdict(list)
    for at, one in enumerate(found):
        if one.similarities is not None:
            scales[one.scale].append(at)
    near: dict[int, list[float]] = {}
    for places in scales.values():
        near |= zip(places, _together([found[at].similarities or () for at in places]), strict=True)
    by_words = [at for at, one in enumerate(found) if one.bm25 is not None]
    worded = dict(zip(by_words, _together([found[at].worded for at in by_words]), strict=True))
    return [
        [
            (1 - weight) * d + weight * t
            for weight, d, t in zip(
                one.text_weights, near.get(at) or _nothing(one), worded.get(at) or _nothing(one), strict=True
            )
        ]
        for at, one in enumerate(found)
    ]


def saturated(bm25: float) -> float:
    """A BM25 score as relevance from 0 to 1, for hits without a similarity."""
    return max(bm25, 0.0) / (max(bm25, 0.0) + TYPICAL_BM25)


def _nothing(one: Candidates) -> list[float]:
    return [0.0] * len(one.text_weights)


def _together(lists: Sequence[Sequence[float]]) -> list[list[float]]:
    """The lists, standardised as one."""
    scores = iter(_standardised([score for one in lists for score in one]))
    return [[next(scores) for _ in one] for one in lists]


def _standardised(scores: Sequence[float]) -> list[float]:
    """The scores with mean 0 and standard deviation 1, none below `_LOWEST`; all 0 where they are the same."""
    if not scores:
        return []
    mean = sum(scores) / len(scores)
    deviation = sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
    return [max((score - mean) / deviation, _LOWEST) if deviation > _NOISE else 0.0 for score in scores]


_LOWEST = -3.0
"""What only the other route finds is as far off as may be: farther, and no match of words could make up for it."""
_NOISE = 1e-9
"""A deviation that only rounding causes."""

"""Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): several rankings made one."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)

K = 60
"""The authors' choice: how little the first ranks outweigh those behind them."""


def fuse(rankings: Sequence[Sequence[Item]], *, k: int = K) -> list[tuple[Item, float]]:
    """Every ranked item with its score, the sum of 1 / (k + rank) over the rankings, best first.

    Ranks count from 1. An item that a ranking names twice counts by its first place; equal scores keep
    the order in which the rankings name them.
    """
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(dict.fromkeys(ranking), start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (k + rank)
    return sorted(scores.items(), key=lambda scored: -scored[1])

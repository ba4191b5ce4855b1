"""Targets: the collections that a search looks through."""

from collections.abc import Sequence
from dataclasses import dataclass

from modulo.domain.collections.collection import Space
from modulo.domain.retrieval.fusion import HYBRID, Ranking


@dataclass(frozen=True, slots=True)
class Target:
    """A collection to search: where it is, the question's vector by its model, and how its passages are ranked.

    A search by words alone needs no vector: it may be empty.
    """

    space: Space
    vector: Sequence[float]
    ranking: Ranking = HYBRID

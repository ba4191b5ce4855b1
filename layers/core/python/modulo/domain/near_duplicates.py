"""Near-duplicates: passages that say what a better one says, word for word but for a few."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modulo.domain.passage import Passage

SHARED_WORDS = 0.9
"""How much of the words of both two passages must share (Jaccard's index)."""


def distinct(passages: Iterable[Passage]) -> list[Passage]:
    """The passages in their order, without those that nearly repeat an earlier one.

    Passages with other figures are never the same: last year's report reads like this year's.
    """
    kept: list[Passage] = []
    known: list[tuple[frozenset[str], frozenset[str]]] = []
    for passage in passages:
        words = frozenset(passage.text.split())
        figures = frozenset(word for word in words if any(map(str.isdigit, word)))
        if not any(figures == others and _repeats(words, other) for other, others in known):
            kept.append(passage)
            known.append((words, figures))
    return kept


def _repeats(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= SHARED_WORDS * len(one | other)

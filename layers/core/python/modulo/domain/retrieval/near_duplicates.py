"""Near-duplicates: passages that say what a better one says, word for word but for a few."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modulo.domain.retrieval.passage import Passage

SHARED_WORDS = 0.9
"""How much of the words of both two passages must share (Jaccard's index)."""


class DistinctTexts:
    """Texts of which none nearly repeats an earlier one.

    Texts with other figures are never the same: last year's report reads like this year's.
    """

    def __init__(self) -> None:
        self._known: list[tuple[frozenset[str], frozenset[str]]] = []

    def add(self, text: str) -> bool:
        """Add a text unless it nearly repeats one; whether it was added."""
        words = frozenset(text.split())
        figures = frozenset(word for word in words if any(map(str.isdigit, word)))
        new = not any(figures == others and _repeats(words, other) for other, others in self._known)
        if new:
            self._known.append((words, figures))
        return new


def distinct(passages: Iterable[Passage]) -> list[Passage]:
    """The passages in their order, without those that nearly repeat an earlier one."""
    texts = DistinctTexts()
    return [passage for passage in passages if texts.add(passage.text)]


def _repeats(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= SHARED_WORDS * len(one | other)

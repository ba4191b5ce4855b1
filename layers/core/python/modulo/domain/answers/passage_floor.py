"""The least score of a passage that may hold an answer, in the scale of the reranker that read it."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from modulo.domain.retrieval.passage import Passage
from modulo.domain.retrieval.passage_text import label
from modulo.domain.retrieval.relevance import log_odds
from modulo.domain.text.stemming import content_words


@dataclass(frozen=True, slots=True)
class PassageFloor:
    """Log odds of a reranker.

    A label that repeats words of the question raises the score of any text below it. So a passage needs `label_weight`
    more by the share that its label repeats, but no more than `most`. One that repeats all of the question heads its
    answer, as in a list of questions, and asks for no more. Neither does the nearest of several headings: it says what
    its section tells, where the document's name and title say what all of its sections are about.
    """

    least: float
    label_weight: float = 0.0
    most: float = 0.0

    def of(self, passage: Passage, words: Set[str]) -> float:
        """The floor of a passage, where these are the question's words."""
        share = len(words & set(content_words(label(passage, words, section=False)))) / max(len(words), 1)
        return min(self.least + self.label_weight * share, self.most) if share < 1 else self.least

    def passed_by(self, passages: Sequence[Passage], words: Set[str]) -> frozenset[int]:
        """The numbers, from 1, of the passages that may hold an answer: all where none was read by a reranker."""
        if all(passage.reranked is None for passage in passages):
            return frozenset(range(1, len(passages) + 1))
        return frozenset(
            mark
            for mark, passage in enumerate(passages, start=1)
            if passage.reranked is not None and log_odds(passage.reranked) >= self.of(passage, words)
        )


MEASURED: Mapping[str, PassageFloor] = {"ms-marco-MiniLM-L-12-v2": PassageFloor(-0.6, label_weight=18.0, most=3.4)}
"""By the name of the model; benchmarks/README.md tells how they were chosen."""
UNMEASURED = PassageFloor(log_odds(0.4))


def floor_of(model: str) -> PassageFloor:
    """The floor for a reranker's scores; one for all passages where its scale was not measured."""
    return MEASURED.get(model, UNMEASURED)

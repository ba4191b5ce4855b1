"""A reranker without a model: the share of the question's words that a text holds."""

from collections import Counter
from collections.abc import Sequence

from modulo.domain.words import content_words

SATURATION = 0.5
"""As k1 of BM25: how little a word's repetitions add."""
LENGTH = 200
"""Words of a text that halve what its repetitions add."""


class MemoryReranker:
    """Lexical: knows nothing of meaning."""

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """1 where a text holds every word of the question often, 0 where it holds none."""
        asked = set(content_words(question))
        return [_score(asked, content_words(text)) for text in texts]

    def ping(self) -> None:
        """Nothing to ask."""


def _score(asked: set[str], words: list[str]) -> float:
    if not asked:
        return 0.0
    counts = Counter(words)
    damping = SATURATION * (1 + len(words) / LENGTH)
    return sum(counts[word] / (counts[word] + damping) for word in asked) / len(asked)

"""A reranker without a model: it scores by the share of the question's words that a text contains."""

from collections import Counter
from collections.abc import Sequence

from modulo.domain.text.stemming import content_words

SATURATION = 0.5
"""Like k1 of BM25: the smaller, the less repetitions of a word add."""
HALVING_LENGTH = 200
"""The number of words in a text at which SATURATION has doubled."""


class WordOverlapReranker:
    """A lexical reranker, which knows nothing of meaning."""

    name = "word-overlap"

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """Close to 1 if a text contains every word of the question often, 0 if it contains none."""
        question_words = set(content_words(question))
        return [_score(question_words, content_words(text)) for text in texts]

    def ping(self) -> None:
        """Nothing to check."""


def _score(question_words: set[str], words: list[str]) -> float:
    if not question_words:
        return 0.0
    counts = Counter(words)
    damping = SATURATION * (1 + len(words) / HALVING_LENGTH)
    return sum(counts[word] / (counts[word] + damping) for word in question_words) / len(question_words)

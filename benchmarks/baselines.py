"""Rankings of documents computed directly from chunks and vectors: BM25, dense, and both fused by reciprocal rank."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

K1, B = 1.2, 0.75
"""BM25's constants, as Lucene has them."""
RRF_K = 60
DEPTH = 100
_WORD = re.compile(r"\w+")


def lowercased_words(text: str) -> list[str]:
    """The words of a text, without stems or stop words."""
    return _WORD.findall(text.lower())


@dataclass(slots=True)
class Bm25:
    """BM25 (Robertson et al. 1994) in Lucene's form over the words of texts."""

    texts: Sequence[str]
    words: Callable[[str], Sequence[str]] = lowercased_words
    _postings: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _norms: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        counts = [Counter(self.words(text)) for text in self.texts]
        lengths = [count.total() for count in counts]
        mean = sum(lengths) / len(lengths)
        self._norms = [K1 * (1 - B + B * length / mean) for length in lengths]
        for number, count in enumerate(counts):
            for word, frequency in count.items():
                self._postings.setdefault(word, []).append((number, frequency))

    def scores(self, question: str) -> dict[int, float]:
        """The score of each text that has a word of the question, by its number."""
        found: dict[int, float] = {}
        for word in self.words(question):
            postings = self._postings.get(word, [])
            weight = log(1 + (len(self.texts) - len(postings) + 0.5) / (len(postings) + 0.5))
            for number, frequency in postings:
                gain = weight * frequency / (frequency + self._norms[number])
                found[number] = found.get(number, 0.0) + gain
        return found


def rank_documents(scores: Mapping[int, float], document_of: Sequence[str]) -> list[str]:
    """The documents, each by its best chunk; equal scores in the order of the chunks."""
    best: dict[str, float] = {}
    for number in sorted(scores):
        document = document_of[number]
        best[document] = max(best.get(document, scores[number]), scores[number])
    return sorted(best, key=lambda document: -best[document])[:DEPTH]


def rank_by_vector(query: Floats, chunks: Floats, document_of: Sequence[str]) -> list[str]:
    """The documents by the cosine of their best chunk; vectors have length 1."""
    return rank_documents(dict(enumerate((chunks @ query).tolist())), document_of)


def fuse(rankings: Sequence[Sequence[str]], k: int = RRF_K) -> list[str]:
    """Reciprocal rank fusion (Cormack et al. 2009): the sum of 1 / (k + rank)."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=1):
            scores[document] = scores.get(document, 0.0) + 1 / (k + rank)
    return sorted(scores, key=lambda document: -scores[document])

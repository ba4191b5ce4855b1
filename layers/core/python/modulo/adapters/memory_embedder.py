"""An embedder without a model: signed feature hashing (Weinberger et al., 2009) of words and of their parts."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from modulo.domain.collection import EmbeddingModel
from modulo.domain.words import content_words

PART = 4
"""Characters of a word's parts, by which words of one family come near each other."""
PART_WEIGHT = 0.8


class MemoryEmbedder:
    """Texts that share words come near each other; it knows nothing of meaning."""

    def embed(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of length 1, the same in every process."""
        return [_vector(text, model.dimensions) for text in texts]

    def ping(self) -> None:
        """Nothing to ask."""


def _vector(text: str, dimensions: int) -> list[float]:
    vector = [0.0] * dimensions
    for feature, weight in _features(text):
        digest = int.from_bytes(blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        vector[(digest >> 1) % dimensions] += weight if digest & 1 else -weight
    length = math.hypot(*vector)
    if not length:  # no words, or all of them cancelled out: still a vector that can be compared
        return [1.0] + [0.0] * (dimensions - 1)
    return [value / length for value in vector]


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word, count in Counter(content_words(text)).items():
        weight = 1 + math.log(count)
        yield word, weight
        edged = f"<{word}>"
        parts = [edged[i : i + PART] for i in range(max(1, len(edged) - PART + 1))]
        for part in parts:
            yield part, PART_WEIGHT * weight / math.sqrt(len(parts))

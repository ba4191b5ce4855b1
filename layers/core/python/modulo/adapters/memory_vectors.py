"""Vectors in this process's memory: exact search, dense and by words; gone when it ends."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from heapq import nlargest
from math import log
from threading import Lock
from uuid import UUID

from modulo.adapters.similarity import distance, require_vector, score
from modulo.domain.chunk import EmbeddedChunk
from modulo.domain.collection import Space
from modulo.domain.file import FileRef
from modulo.domain.filters import Condition, FilterField
from modulo.domain.fusion import fuse
from modulo.domain.passage import Hit
from modulo.domain.words import content_words

_Key = tuple[FileRef, int]
K1, B = 1.2, 0.75
"""BM25's usual choices: how little repetitions add, and how much long texts are held back."""


class MemoryVectors:
    """Chunks by the space's name and their own number; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._chunks: dict[str, dict[_Key, EmbeddedChunk]] = {}

    def prepare(self, space: Space) -> None:
        """Memory needs no preparation."""

    def upsert(self, space: Space, chunks: Sequence[EmbeddedChunk]) -> None:
        """Write chunks; those already there under the same id are replaced.

        Raises:
            ValueError: a chunk is not of this space, or its vector not of the space's model.
        """
        for chunk in chunks:
            if (chunk.ref.tenant_id, chunk.ref.collection_id) != (space.tenant_id, space.collection_id):
                raise ValueError("the chunk is not of this space")
            require_vector(space.model, chunk.vector)
        with self._lock:
            self._chunks.setdefault(space.name, {}).update({(c.ref, c.chunk.number): c for c in chunks})

    def flush(self, space: Space) -> None:
        """Memory is always searchable at full speed."""

    def search(
        self,
        space: Space,
        *,
        vector: Sequence[float],
        question: str,
        limit: int,
        conditions: Sequence[Condition],
    ) -> list[Hit]:
        """The chunks nearest to the question by vector and by words, fused by rank, best first.

        Raises:
            ValueError: the vector is not of the space's model.
        """
        require_vector(space.model, vector)
        metric = space.model.metric
        candidates = [found for found in self._of(space) if all(_matches(found, condition) for condition in conditions)]
        scores = [score(metric, distance(metric, vector, found.vector)) for found in candidates]
        nearest = nlargest(limit, range(len(candidates)), key=scores.__getitem__)
        fused = fuse([nearest, _by_words(question, [found.chunk.text for found in candidates])[:limit]])
        best = [(candidates[at], scores[at]) for at, _ in fused[:limit]]
        return [Hit(found.ref, found.chunk, near, found.source) for found, near in best]

    def texts(self, space: Space, ref: FileRef, numbers: range | None = None) -> list[str]:
        """The texts stored of one generation, by chunk number."""
        of_file = self._of(space, ref.file_id, ref.generation)
        found = [chunk for chunk in of_file if numbers is None or chunk.chunk.number in numbers]
        return [chunk.chunk.text for chunk in sorted(found, key=lambda chunk: chunk.chunk.number)]

    def delete(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> None:
        """Delete the chunks of one generation, of one file or of the whole collection."""
        gone = [(found.ref, found.chunk.number) for found in self._of(space, file_id, generation)]
        with self._lock:
            for key in gone:
                self._chunks[space.name].pop(key, None)

    def count(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> int:
        """How many chunks there are of those that `delete` would delete."""
        return sum(1 for _ in self._of(space, file_id, generation))

    def ping(self) -> None:
        """Memory always answers."""

    def _of(self, space: Space, file_id: UUID | None = None, generation: int | None = None) -> Iterator[EmbeddedChunk]:
        """The space's chunks; the only place that compares tenant and collection."""
        with self._lock:
            chunks = list(self._chunks.get(space.name, {}).values())
        for chunk in chunks:
            ref = chunk.ref
            if (ref.tenant_id, ref.collection_id) != (space.tenant_id, space.collection_id):
                continue
            if file_id in (None, ref.file_id) and generation in (None, ref.generation):
                yield chunk


def _by_words(question: str, texts: Sequence[str]) -> list[int]:
    """The texts that share words with the question, best first by BM25 (Robertson and Zaragoza, 2009)."""
    counts = [Counter(content_words(text)) for text in texts]
    usual = sum(map(Counter.total, counts)) / len(texts) if texts else 0
    scores: defaultdict[int, float] = defaultdict(float)
    for word in set(content_words(question)):
        holders = [at for at, count in enumerate(counts) if word in count]
        rarity = log(1 + (len(texts) - len(holders) + 0.5) / (len(holders) + 0.5))
        for at in holders:
            often, length = counts[at][word], counts[at].total() / usual
            scores[at] += rarity * often * (K1 + 1) / (often + K1 * (1 - B + B * length))
    return sorted(scores, key=lambda at: -scores[at])


def _matches(found: EmbeddedChunk, condition: Condition) -> bool:
    values: dict[FilterField, str | int] = {
        FilterField.document_id: str(found.ref.file_id),
        FilterField.media_type: found.media_type,
        FilterField.page_number: found.chunk.page,
        FilterField.heading: found.chunk.heading,
    }
    return condition.holds(values[condition.field])

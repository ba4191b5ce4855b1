"""Vectors in this process's memory: exact search, without full text; gone when it ends."""

from collections.abc import Callable, Iterator, Sequence
from heapq import nlargest
from operator import ge, gt, le, lt
from threading import Lock
from uuid import UUID

from modulo.adapters.similarity import distance, require_vector, score
from modulo.domain.chunk import EmbeddedChunk
from modulo.domain.collection import Space
from modulo.domain.file import FileRef
from modulo.domain.filters import Comparison, Condition, FilterField
from modulo.domain.passage import Hit

_COMPARE: dict[Comparison, Callable[[int, int], bool]] = {
    Comparison.gte: ge,
    Comparison.lte: le,
    Comparison.gt: gt,
    Comparison.lt: lt,
}
_Key = tuple[FileRef, int]


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
        question: str,  # noqa: ARG002  # there is no full text here
        limit: int,
        conditions: Sequence[Condition],
    ) -> list[Hit]:
        """The chunks nearest to the vector, best first.

        Raises:
            ValueError: the vector is not of the space's model.
        """
        require_vector(space.model, vector)
        metric = space.model.metric
        hits = [
            Hit(found.ref, found.chunk, score(metric, distance(metric, vector, found.vector)))
            for found in self._of(space)
            if all(_matches(found, condition) for condition in conditions)
        ]
        return nlargest(limit, hits, key=lambda hit: hit.score)

    def texts(self, space: Space, ref: FileRef) -> list[str]:
        """The texts stored of one generation, by chunk number."""
        found = self._of(space, ref.file_id, ref.generation)
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


def _matches(found: EmbeddedChunk, condition: Condition) -> bool:
    value: str | int
    match condition.field:
        case FilterField.document_id:
            value = str(found.ref.file_id)
        case FilterField.source:
            value = found.source
        case FilterField.media_type:
            value = found.media_type
        case FilterField.page_number:
            value = found.chunk.page
    if condition.comparison is Comparison.within:
        return value in condition.values
    (bound,) = condition.values
    return _COMPARE[condition.comparison](int(value), int(bound))

"""The vector store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from modulo.domain.retrieval.filters import EVERYTHING

if TYPE_CHECKING:
    from modulo.domain.collections.collection import Space
    from modulo.domain.documents.chunk import Chunk, EmbeddedChunk
    from modulo.domain.files.file import FileRef
    from modulo.domain.retrieval.filters import Filter
    from modulo.domain.retrieval.passage import Hit
    from modulo.domain.search.target import Target


class Vectors(Protocol):
    """The vector store."""

    def prepare(self, space: Space) -> None:
        """Create the space if it does not exist, ready for searches."""
        ...

    def upsert(self, space: Space, chunks: Sequence[EmbeddedChunk]) -> None:
        """Write chunks, replacing those of the same ids."""
        ...

    def flush(self, space: Space, *, written: int | None = None) -> None:
        """Flush what was written, so that it is indexed; so few chunks as `written` may wait for the next ones."""
        ...

    def search(self, targets: Sequence[Target], *, question: str, limit: int, where: Filter = EVERYTHING) -> list[Hit]:
        """The chunks of all targets, which are of one tenant, nearest to the question; best first, in one round trip.

        A chunk that cannot meet the filter, whatever is said of its document, is left out as far as the store can tell:
        whoever asks checks the filter on the hits.
        """
        ...

    def texts(self, space: Space, ref: FileRef, numbers: range | None = None) -> list[str]:
        """The texts stored of one generation, by chunk number, read with strong consistency.

        `numbers`, whose step is 1, keeps the chunks so numbered.
        """
        ...

    def chunks(self, space: Space, ref: FileRef, numbers: range) -> list[Chunk]:
        """The chunks so numbered of one generation, by number, read with strong consistency; few, with step 1."""
        ...

    def chunks_at(
        self, spaces: Sequence[Space], numbers: Mapping[FileRef, Collection[int]]
    ) -> dict[FileRef, list[Chunk]]:
        """The chunks so numbered of generations in these spaces, which are of one tenant; few, in one round trip.

        Generations of other spaces have none.
        """
        ...

    def delete(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> None:
        """Delete the chunks of one generation, of one file or of the whole collection."""
        ...

    def count(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> int:
        """The number of chunks that `delete` would delete, read with strong consistency."""
        ...

    def ping(self) -> None:
        """Check that the store answers."""
        ...

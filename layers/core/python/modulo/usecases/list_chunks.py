"""List the chunks of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modulo.domain.documents.chunk import CHUNKS_PER_PART
from modulo.domain.documents.chunk_cursor import ChunkCursor
from modulo.domain.documents.file_chunk import FileChunk
from modulo.domain.errors import Conflict, Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.pagination import Listing

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collections.collection import Space
    from modulo.domain.documents.chunk import Chunk
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.files import Files
    from modulo.ports.metadata.search import Grants
    from modulo.ports.vectors import Vectors

MAX_EMPTY_PARTS: Final = 50
"""How many parts of a file without any chunk are passed over, such as scanned pages that nobody recognised."""


def list_chunks(
    principal: Principal,
    collection_id: UUID,
    file_id: UUID,
    *,
    after: str | None,
    limit: int,
    files: Files,
    grants: Grants,
    vectors: Vectors,
) -> Listing[FileChunk]:
    """A page of the live generation's chunks, in the document's order.

    Raises:
        NotFound: no such file is visible to the caller.
        Conflict: it is not ready, or another generation went live since the page before.
        InvalidRequest: `after` is no cursor.
        Unavailable: the vector store does not answer, or holds fewer chunks than it should.
    """
    cursor = ChunkCursor.decode(after) if after is not None else None
    granted = grants.live_documents(principal, [collection_id], [file_id], reservation=None)
    document = granted.documents.get(file_id)
    if document is None:
        files.get_file(principal, collection_id, file_id)
        raise Conflict("The file is not ready: its chunks are known once it is.")
    begun = cursor or ChunkCursor(document.generation)
    if document.generation != begun.generation:
        raise Conflict("The file has changed since the page before: begin anew.")
    ref = FileRef(principal.tenant_id, collection_id, file_id, document.generation)
    wanted = min(limit, document.chunk_count - begun.seen)
    chunks = _chunks(vectors, granted.grants[0].space, ref, begun.number, wanted)
    seen = begun.seen + len(chunks)
    more = chunks and seen < document.chunk_count
    rest = ChunkCursor(begun.generation, chunks[-1].number + 1, seen) if more else None
    return Listing[FileChunk](
        items=tuple(FileChunk.of(ref, chunk) for chunk in chunks), next=rest.encode() if rest else None
    )


def _chunks(vectors: Vectors, space: Space, ref: FileRef, first: int, wanted: int) -> list[Chunk]:
    """So many chunks from a number on: numbers follow each other within a part of a file, and leap to the next."""
    found: list[Chunk] = []
    empty = 0
    while (missing := wanted - len(found)) > 0:
        some = vectors.chunks(space, ref, range(first, first + missing))
        found += some
        empty = 0 if some else empty + 1
        if empty > MAX_EMPTY_PARTS:
            raise Unavailable("The vector store holds fewer chunks than the file has.", dependency="milvus")
        first = (first // CHUNKS_PER_PART + 1) * CHUNKS_PER_PART
    return found

"""Rows of a Milvus collection: chunks to rows and back, and rows in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from modulo.adapters.milvus.filter_expression import storable
from modulo.adapters.milvus.schema import MAX_LENGTHS, PLACES, TERMS, VECTOR, has_places, has_terms
from modulo.adapters.milvus.similarity import require_vector
from modulo.adapters.milvus.terms import languages, stored_terms
from modulo.domain.documents.chunk import Chunk, EmbeddedChunk
from modulo.domain.files.file import FileRef

if TYPE_CHECKING:
    from modulo.domain.collections.collection import Space

MAX_BATCH_BYTES = 16 * 1024**2
"""A quarter of what a Milvus proxy accepts in one message."""
CHUNK_FIELDS = (
    *("collection_id", "file_id", "generation", "number", "page", "start", "end", "table_index", "heading"),
    *("text", "source"),
)
"""The fields of a chunk; the tenant is known from the request."""


def search_fields(space: Space) -> tuple[str, ...]:
    """The fields that a search returns: a chunk's, and where the space has it, the places of its text."""
    return (*CHUNK_FIELDS, PLACES) if has_places(space) else CHUNK_FIELDS


def primary_key(ref: FileRef, chunk: Chunk) -> str:
    """The primary key of a chunk, derived from tenant and collection: no tenant can overwrite a row of another."""
    return str(uuid5(ref.tenant_id, f"{ref.collection_id}/{chunk.id_in(ref)}"))


def rows_of(space: Space, chunks: Sequence[EmbeddedChunk]) -> Iterator[dict[str, Any]]:
    """The chunks as they are written, with their terms where the space has them.

    Raises:
        ValueError: a chunk is not of this space, or its vector not of the space's model.
    """
    if not has_terms(space):
        yield from (row_of(space, embedded) for embedded in chunks)
        return
    for embedded, language in zip(chunks, languages(one.chunk for one in chunks), strict=True):
        yield {**row_of(space, embedded), TERMS: stored_terms(embedded.chunk, language)}


def row_of(space: Space, embedded: EmbeddedChunk) -> dict[str, Any]:
    """The chunk as it is written, without terms.

    Raises:
        ValueError: it is not of this space, or its vector not of the space's model.
    """
    ref, chunk = embedded.ref, embedded.chunk
    if (ref.tenant_id, ref.collection_id) != (space.tenant_id, space.collection_id):
        raise ValueError("the chunk is not of this space")
    require_vector(space.model, embedded.vector)
    placed = {PLACES: chunk.places} if has_places(space) else {}
    return {
        **placed,
        "chunk_id": primary_key(ref, chunk),
        "tenant_id": str(space.tenant_id),
        "collection_id": str(space.collection_id),
        "file_id": str(ref.file_id),
        "generation": ref.generation,
        "number": chunk.number,
        "page": chunk.page,
        "start": chunk.start,
        "end": chunk.end,
        "table_index": -1 if chunk.table is None else chunk.table,
        "heading": _cut("heading", chunk.heading),
        "source": _cut("source", embedded.source),
        "media_type": _cut("media_type", embedded.media_type),
        "text": storable(chunk.text),
        VECTOR: list(embedded.vector),
    }


def _cut(field: str, text: str) -> str:
    """The text cut to the field's maximal length: a long path of headings must not fail its file."""
    return storable(text).encode()[: MAX_LENGTHS[field]].decode(errors="ignore")


def chunk_of(space: Space, entity: Mapping[str, Any]) -> tuple[FileRef, Chunk]:
    """The chunk in a row of search results, with its file and generation."""
    ref = FileRef(space.tenant_id, space.collection_id, UUID(entity["file_id"]), int(entity["generation"]))
    table = int(entity["table_index"])
    return ref, Chunk(
        number=int(entity["number"]),
        text=entity["text"],
        page=int(entity["page"]),
        start=int(entity["start"]),
        end=int(entity["end"]),
        heading=entity["heading"],
        table=None if table < 0 else table,
        places=entity.get(PLACES, ""),
    )


def batches(
    rows: Iterable[dict[str, Any]], *, size: int, max_bytes: int = MAX_BATCH_BYTES
) -> Iterator[list[dict[str, Any]]]:
    """The rows in lists of at most `size` rows and about `max_bytes`, each for one message."""
    batch: list[dict[str, Any]] = []
    total = 0
    for row in rows:
        weight = _bytes(row)
        if batch and (len(batch) >= size or total + weight > max_bytes):
            yield batch
            batch, total = [], 0
        batch.append(row)
        total += weight
    if batch:
        yield batch


def _bytes(row: Mapping[str, Any]) -> int:
    vector: Sequence[float] = row[VECTOR]
    return 4 * len(vector) + sum(len(value.encode()) if isinstance(value, str) else 8 for value in row.values())

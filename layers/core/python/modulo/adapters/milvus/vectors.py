"""The vector store: searches by vectors and by words in one round trip, writes in batches."""

from __future__ import annotations

import logging
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from modulo.adapters.milvus.chunks_at import chunks_at
from modulo.adapters.milvus.collections import CollectionLayout, CollectionOptions, MilvusCollections
from modulo.adapters.milvus.connection import MilvusConnection, is_rate_limited
from modulo.adapters.milvus.filter_expression import filter_expression, storable
from modulo.adapters.milvus.routes import Routes, search_at_once
from modulo.adapters.milvus.rows import CHUNK_FIELDS, batches, chunk_of, rows_of
from modulo.adapters.milvus.schema import has_terms
from modulo.adapters.milvus.similarity import require_vector
from modulo.adapters.milvus.terms import sought_terms
from modulo.adapters.milvus.unsealed_chunks import UnsealedChunks
from modulo.domain.errors import InvalidRequest, Unavailable
from modulo.domain.retrieval.filters import EVERYTHING
from modulo.domain.retrieval.fusion import SearchType

if TYPE_CHECKING:
    from modulo.domain.collections.collection import Space
    from modulo.domain.documents.chunk import Chunk, EmbeddedChunk
    from modulo.domain.files.file import FileRef
    from modulo.domain.retrieval.filters import Filter
    from modulo.domain.retrieval.passage import Hit
    from modulo.domain.search.target import Target
    from modulo.ports.secrets import Secret
    from modulo.settings import Settings

PAGE_SIZE = 4_000
"""Texts read in one request: less than Milvus' limits of 16,384 rows and of bytes in a response."""
_log = logging.getLogger(__name__)


class MilvusVectors:
    """One Milvus server or cluster, version 2.4 or later: earlier versions upsert without the partition key.

    Spaces share a Milvus collection for each embedding model, partitioned by tenant, unless they are dedicated. Hits
    come in their fused order, which may differ from the order of similarities. A space without a collection counts as
    empty; only `prepare` and `upsert` create one.
    """

    def __init__(
        self,
        uri: str,
        *,
        token: str | Secret | None = None,
        timeout: float = 10,
        hnsw_ef: int = 64,
        batch_size: int = 1_000,
        options: CollectionOptions | None = None,
    ) -> None:
        self._milvus = MilvusConnection(uri, token=token, timeout=timeout)
        self._collections = MilvusCollections(self._milvus, options or CollectionOptions())
        self._ef = hnsw_ef
        self._batch_size = batch_size
        self._unsealed = UnsealedChunks()

    def prepare(self, space: Space) -> None:
        """Create, index and load the space's collection, as far as that is still to be done."""
        self._collections.prepare(space, create=True)

    def upsert(self, space: Space, chunks: Sequence[EmbeddedChunk]) -> None:
        """Write chunks in batches; chunks with the same id are replaced.

        Raises:
            ValueError: a chunk is not of this space, or its vector not of the space's model.
        """
        for batch in batches(rows_of(space, chunks), size=self._batch_size):
            self._write(space, batch)

    def flush(self, space: Space, *, written: int | None = None) -> None:
        """Seal what was written, so that it is indexed now.

        Where the number of chunks `written` is known and small, they wait until there are more of them: each flush
        makes a segment, and thousands of small ones are slow to search and to merge. Milvus limits the rate of
        flushes, too. A refused one does no harm: segments are sealed later by themselves.
        """
        if not self._unsealed.is_due(space.name, written):
            return
        try:
            self._collections.within(
                space, lambda _: self._milvus.call_slow("flush", space.name, retry_on_rate_limit=False)
            )
        except Unavailable as error:
            if not is_rate_limited(error):
                raise
            _log.info("Milvus refused to flush %s now (rate limit); it seals the segments later by itself", space.name)

    def search(self, targets: Sequence[Target], *, question: str, limit: int, where: Filter = EVERYTHING) -> list[Hit]:
        """The chunks of all targets nearest to the question, best first, in one round trip.

        Among them are all that meet the filter, as far as a chunk alone can tell, and perhaps others.

        Raises:
            InvalidRequest: a search by words alone in a collection without full text.
            ValueError: a vector is not of its space's model, or the targets are of several tenants.
        """
        shared = _searched_together(targets)

        def run(layouts: Sequence[CollectionLayout | None]) -> list[Hit]:
            there = [(found, layout) for found, layout in zip(shared, layouts, strict=True) if layout is not None]
            routes = [
                Routes(
                    found,
                    _words(found[0], question, layout),
                    filter_expression([target.space for target in found], where),
                    limit,
                    self._ef,
                )
                for found, layout in there
            ]
            return search_at_once(self._milvus, routes, limit)

        return self._collections.within_all([found[0].space for found in shared], run)

    def texts(self, space: Space, ref: FileRef, numbers: range | None = None) -> list[str]:
        """The stored texts of one generation, by chunk number, however many there are."""
        found: list[tuple[int, str]] = []
        start, stop = (numbers.start, numbers.stop) if numbers else (0, -1)
        rest = self._numbered_texts(space, ref, range(start, stop))
        while len(rest) >= PAGE_SIZE:
            # Milvus cannot sort, nor page this far: read ranges of numbers until the rest fits one response.
            page = self._numbered_texts(space, ref, range(start, start + PAGE_SIZE))
            found += page
            start += PAGE_SIZE
            rest = page if len(page) >= PAGE_SIZE else self._numbered_texts(space, ref, range(start, stop))
        return [text for _, text in sorted({*found, *rest})]  # after a crash, Milvus may return a row twice

    def chunks(self, space: Space, ref: FileRef, numbers: range) -> list[Chunk]:
        """The chunks so numbered of one generation, at most `PAGE_SIZE`; without the places of their text."""
        expression = filter_expression(space, file_id=ref.file_id, generation=ref.generation, numbers=numbers)
        rows = self._query(space, expression, list(CHUNK_FIELDS), limit=PAGE_SIZE)
        found = {chunk.number: chunk for _, chunk in (chunk_of(space, row) for row in rows)}
        return [found[number] for number in sorted(found)]

    def chunks_at(
        self, spaces: Sequence[Space], numbers: Mapping[FileRef, Collection[int]]
    ) -> dict[FileRef, list[Chunk]]:
        """The chunks so numbered of generations in these spaces, by number: one request for each Milvus collection."""
        return chunks_at(self._milvus, self._collections, spaces, numbers)

    def delete(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> None:
        """Delete the chunks of one generation, one file or the whole space, which drops a dedicated collection."""
        if space.dedicated and file_id is None and generation is None:
            self._collections.drop(space)
            return
        expression = filter_expression(space, file_id=file_id, generation=generation)
        self._collections.within(space, lambda _: self._milvus.call_slow("delete", space.name, filter=expression))

    def count(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> int:
        """The number of rows that `delete` would delete; what a crash left twice counts twice until it is rewritten."""
        rows = self._query(space, filter_expression(space, file_id=file_id, generation=generation), ["count(*)"])
        return int(rows[0]["count(*)"]) if rows else 0

    def ping(self) -> None:
        """Request the server's version.

        Raises:
            Unavailable: the server does not answer.
        """
        self._milvus.call("get_server_version")

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._milvus.close()

    def _write(self, space: Space, rows: list[dict[str, Any]]) -> None:
        self._collections.within(space, lambda _: self._milvus.call("upsert", space.name, rows), create=True)

    def _numbered_texts(self, space: Space, ref: FileRef, numbers: range) -> list[tuple[int, str]]:
        expression = filter_expression(space, file_id=ref.file_id, generation=ref.generation, numbers=numbers)
        rows = self._query(space, expression, ["number", "text"], limit=2 * PAGE_SIZE)  # each may be there twice
        return [(int(row["number"]), row["text"]) for row in rows]

    def _query(self, space: Space, expression: str, fields: list[str], **options: Any) -> list[dict[str, Any]]:
        """Rows that match the expression, read with strong consistency."""

        def run(_: CollectionLayout) -> list[dict[str, Any]]:
            strong = {"consistency_level": "Strong", **options}
            return list(self._milvus.call_slow("query", space.name, filter=expression, output_fields=fields, **strong))

        return self._collections.within(space, run) or []


def _searched_together(targets: Sequence[Target]) -> list[list[Target]]:
    """The targets by Milvus collection, model and type of search: each list is one search of Milvus.

    Raises:
        ValueError: a vector is not of its space's model.
    """
    found: dict[Hashable, list[Target]] = {}
    for target in targets:
        space, search_type = target.space, target.ranking.search_type
        if search_type is not SearchType.text:
            require_vector(space.model, target.vector)
        found.setdefault((space.name, space.model, search_type), []).append(target)
    return list(found.values())


def _words(target: Target, question: str, layout: CollectionLayout) -> str:
    """What a search of the target's collection looks for by words; nothing where it has no full text.

    Raises:
        InvalidRequest: it is a search by words alone.
    """
    if not layout.full_text:
        if target.ranking.search_type is SearchType.text:
            detail = "must be dense or hybrid: this server has no full-text search"
            raise InvalidRequest.field("config_metadata.search_type", detail)
        return ""
    return sought_terms(question) if has_terms(target.space) else storable(question).strip()


def milvus_vectors(settings: Settings, token: str | Secret | None) -> MilvusVectors:
    """The vector store that the settings describe."""
    return MilvusVectors(
        settings.address("milvus_uri"),
        token=token,
        timeout=settings.milvus_timeout_seconds,
        hnsw_ef=settings.milvus_hnsw_ef,
        batch_size=settings.vector_batch_size,
        options=CollectionOptions(
            index=settings.milvus_index,
            hnsw_m=settings.milvus_hnsw_m,
            hnsw_ef_construction=settings.milvus_hnsw_ef_construction,
            shards=settings.milvus_shards,
            full_text=settings.milvus_full_text,
        ),
    )

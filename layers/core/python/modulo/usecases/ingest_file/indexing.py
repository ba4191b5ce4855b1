"""Indexing: a document's pages are chunked, embedded and written to the vector store as a stream, then verified."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from modulo.domain.documents.chunk import ContentHash, EmbeddedChunk, content_hash, numbers_of
from modulo.domain.errors import Unavailable
from modulo.domain.files.file import MAX_LISTED_PAGES, Stage
from modulo.domain.ingestion.chunking import chunk
from modulo.domain.ingestion.claim import PartResult
from modulo.usecases.ingest_file.embedding import ChunkEmbedding
from modulo.usecases.ingest_file.lease import RENEWALS
from modulo.usecases.ingest_file.prefetch import prefetched
from modulo.usecases.ingest_file.throttle import AdaptiveThrottle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from modulo.domain.documents.chunk import Chunk
    from modulo.domain.documents.document import Page
    from modulo.domain.files.file import DocumentInfo
    from modulo.domain.ingestion.claim import Claim
    from modulo.ports.metrics import Metrics
    from modulo.ports.parsing import Parsed
    from modulo.ports.vectors import Vectors
    from modulo.usecases.ingest_file.lease import ClaimLease
    from modulo.usecases.ingest_file.limits import IndexLimits
    from modulo.usecases.ingest_file.ports import IngestPorts

FIRST_BATCH_DIVISOR = 8
"""How many times smaller a part's first batch is than the others."""
PROGRESS_SECONDS = 5.0
"""How often progress is reported while pages take long to read."""
Element = TypeVar("Element")


@dataclass(slots=True)
class Indexing:
    """What was read and written of the claimed pages so far."""

    claim: Claim
    vectors: Vectors
    embedding: ChunkEmbedding
    metrics: Metrics
    limits: IndexLimits
    pages_read: int = 0
    _hash: ContentHash = field(default_factory=ContentHash)
    _parse_seconds: float = 0

    @classmethod
    def start(cls, lease: ClaimLease, ports: IngestPorts, limits: IndexLimits) -> Indexing:
        """The indexing of what is claimed; it renews the lease while it waits for the embedder."""
        claim = lease.claim
        throttle = AdaptiveThrottle(
            concurrency=limits.embedding_concurrency,
            batch_size=limits.embedding_batch,
            until=lease.clock.now() + timedelta(seconds=limits.run_seconds),
            clock=lease.clock,
            keep_alive=lambda: lease.advance(Stage.embedding),
            keep_alive_seconds=lease.lease_seconds / RENEWALS,
        )
        embedding = ChunkEmbedding(
            claim=claim,
            embedder=ports.embedder,
            cache=ports.cache,
            metrics=ports.metrics,
            throttle=throttle,
            ttl=limits.embedding_ttl,
        )
        return cls(claim, ports.vectors, embedding, ports.metrics, limits)

    def write(self, parsed: Parsed, on_progress: Callable[[], None]) -> None:
        """Parse, chunk, embed and upsert as a stream: memory holds a few batches, however long the file.

        `on_progress` is called after every full batch, and every few seconds while pages are read. The caller reports
        the end.
        """
        pages = self._read(parsed.pages(self.claim.part), on_progress)
        chunks = (
            replace(piece, number=self._numbers.start + piece.number) for piece in chunk(pages, self.claim.chunking)
        )
        batches = _batches(chunks, self.limits.embedding_batch, first=self._first_batch)
        waiting: list[EmbeddedChunk] = []
        concurrency, stop = self.limits.embedding_concurrency, self.embedding.throttle.stop
        with closing(prefetched(batches, self.embedding.embed, concurrency=concurrency, stop=stop)) as embedded:
            for batch, vectors in embedded:
                waiting += self._embedded(batch, vectors)
                if len(waiting) >= self.limits.vector_batch:
                    self.vectors.upsert(self.claim.space, waiting)
                    waiting = []
                if len(batch) == self.limits.embedding_batch:
                    on_progress()
        if waiting:
            self.vectors.upsert(self.claim.space, waiting)
        self.metrics.observe("rag_ingest_seconds", self._parse_seconds, stage="parsing")

    def verify(self) -> None:
        """Compare what the vector store holds with what was written.

        Raises:
            Unavailable: it holds less, or something else.
        """
        texts = self.vectors.texts(self.claim.space, self.claim.ref, self._numbers if self.claim.part else None)
        if len(texts) != self._hash.count or content_hash(texts) != self._hash.hexdigest():
            detail = f"The vector store holds {len(texts)} of {self._hash.count} chunks, or others."
            raise Unavailable(detail, dependency="milvus")

    def result(self, info: DocumentInfo) -> PartResult:
        """What became of the pages."""
        shortened = tuple(sorted(self.embedding.shortened_pages)[:MAX_LISTED_PAGES]) or None
        info = info.model_copy(update={"shortened_pages": shortened})
        return PartResult(self._hash.count, self._hash.hexdigest(), info)

    @property
    def _first_batch(self) -> int:
        """A part's embedder should not wait until a whole batch is read; a small file's takes one call."""
        whole = self.limits.embedding_batch
        return max(1, whole // FIRST_BATCH_DIVISOR) if self.claim.part else whole

    @property
    def _numbers(self) -> range:
        """The chunk numbers of the claimed pages."""
        return numbers_of(self.claim.part.number if self.claim.part else 0)

    def _read(self, pages: Iterator[Page], on_progress: Callable[[], None]) -> Iterator[Page]:
        unreported = 0.0
        while True:
            started = perf_counter()
            page = next(pages, None)
            seconds = perf_counter() - started
            self._parse_seconds += seconds
            if page is None:
                return
            self.pages_read += 1
            unreported += seconds
            if unreported >= PROGRESS_SECONDS:
                on_progress()
                unreported = 0.0
            yield page

    def _embedded(self, batch: list[Chunk], vectors: list[list[float]]) -> Iterator[EmbeddedChunk]:
        for piece, vector in zip(batch, vectors, strict=True):
            self._hash.add(piece.text)
            yield EmbeddedChunk(self.claim.ref, piece, vector, self.claim.name, self.claim.media_type)


def _batches(items: Iterable[Element], size: int, *, first: int) -> Iterator[list[Element]]:
    """The items in lists, each twice as long as the one before until they are of the size."""
    rest, number = iter(items), first
    while batch := list(islice(rest, number)):
        yield batch
        number = min(size, 2 * number)

"""The chunks of a generation, or of a part of one, on their way into the vector store."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from time import perf_counter
from typing import TypeVar

from modulo.domain.chunk import Chunk, ContentHash, EmbeddedChunk, content_hash
from modulo.domain.chunking import chunk
from modulo.domain.document import Page
from modulo.domain.errors import Unavailable
from modulo.domain.file import MOST_PAGES, DocumentInfo, Stage
from modulo.domain.transfer import Claim, PartResult
from modulo.ports import Cache, Embedder, Metrics, Parsed, Vectors
from modulo.usecases.embedding import Embedding
from modulo.usecases.holding import Holding
from modulo.usecases.overlapping import overlapping
from modulo.usecases.pacing import Pace

CHUNKS_A_PART = 1_000_000
"""By so much the chunk numbers of a part begin behind those of the part before it."""
FIRST = 8
"""A part's first batch is by so much smaller than the others."""
Element = TypeVar("Element")
TELL_SECONDS = 5.0
"""How often it is told how far reading has come, where pages take long."""


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """How indexing is cut into steps; times in seconds."""

    embedding_batch: int
    embedding_concurrency: int
    embedding_ttl: int
    vector_batch: int
    run_seconds: int
    """So long after its beginning, an attempt waits no more for a model that is throttled."""


@dataclass(slots=True)
class Indexing:
    """What was read and written of the claimed pages so far."""

    claim: Claim
    vectors: Vectors
    embedding: Embedding
    metrics: Metrics
    limits: IndexLimits
    pages_read: int = 0
    _hashed: ContentHash = field(default_factory=ContentHash)
    _parse_seconds: float = 0

    def write(self, parsed: Parsed, on_progress: Callable[[], None]) -> None:
        """Parse, chunk, embed and upsert in a stream: memory holds a few batches, however long the file.

        `on_progress` is called behind every full batch, and every few seconds while pages are read; behind the
        last one is whoever called this.
        """
        pages = self._read(parsed.pages(self.claim.part), on_progress)
        chunks = (
            replace(piece, number=self._numbers.start + piece.number) for piece in chunk(pages, self.claim.chunking)
        )
        batches = _batches(chunks, self.limits.embedding_batch, first=self._first_batch)
        waiting: list[EmbeddedChunk] = []
        at_once, stop = self.limits.embedding_concurrency, self.embedding.pace.stop
        with closing(overlapping(batches, self.embedding.embed, at_once=at_once, stop=stop)) as embedded:
            for batch, found in embedded:
                waiting += self._embedded(batch, found)
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
        if len(texts) != self._hashed.count or content_hash(texts) != self._hashed.hexdigest():
            detail = f"The vector store holds {len(texts)} of {self._hashed.count} chunks, or others."
            raise Unavailable(detail, dependency="milvus")

    def result(self, info: DocumentInfo) -> PartResult:
        """What became of the pages."""
        shortened = tuple(sorted(self.embedding.shortened)[:MOST_PAGES]) or None
        told = info.model_copy(update={"shortened_pages": shortened})
        return PartResult(self._hashed.count, self._hashed.hexdigest(), told)

    @property
    def _first_batch(self) -> int:
        """A part's embedder should not wait until a whole batch is read; a small file's takes one call."""
        whole = self.limits.embedding_batch
        return max(1, whole // FIRST) if self.claim.part else whole

    @property
    def _numbers(self) -> range:
        first = self.claim.part.number * CHUNKS_A_PART if self.claim.part else 0
        return range(first, first + CHUNKS_A_PART)

    def _read(self, pages: Iterator[Page], on_progress: Callable[[], None]) -> Iterator[Page]:
        untold = 0.0
        while True:
            started = perf_counter()
            page = next(pages, None)
            seconds = perf_counter() - started
            self._parse_seconds += seconds
            if page is None:
                return
            self.pages_read += 1
            untold += seconds
            if untold >= TELL_SECONDS:
                on_progress()
                untold = 0.0
            yield page

    def _embedded(self, batch: list[Chunk], vectors: list[list[float]]) -> Iterator[EmbeddedChunk]:
        for piece, vector in zip(batch, vectors, strict=True):
            self._hashed.add(piece.text)
            yield EmbeddedChunk(self.claim.ref, piece, vector, self.claim.name, self.claim.media_type)


def indexing_of(
    holding: Holding, *, vectors: Vectors, embedder: Embedder, cache: Cache, metrics: Metrics, limits: IndexLimits
) -> Indexing:
    """The indexing of what is held, which keeps the claim while it waits for the embedder."""
    pace = Pace(
        limits.embedding_concurrency,
        limits.embedding_batch,
        until=holding.clock.now() + timedelta(seconds=limits.run_seconds),
        clock=holding.clock,
        keep=lambda: holding.advance(Stage.embedding),
        keep_seconds=holding.lease_seconds / 3,
    )
    embedding = Embedding(holding.claim, embedder, cache, metrics, pace, limits.embedding_ttl)
    return Indexing(holding.claim, vectors, embedding, metrics, limits)


def _batches(items: Iterable[Element], size: int, *, first: int) -> Iterator[list[Element]]:
    """The items in lists, each twice as long as the one before until they are of the size."""
    rest, number = iter(items), first
    while batch := list(islice(rest, number)):
        yield batch
        number = min(size, 2 * number)

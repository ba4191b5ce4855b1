"""Turn an uploaded file into chunks that searches find, and verify that all of them are there."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import islice
from time import perf_counter
from typing import BinaryIO, NoReturn, TypeVar

from modulo.domain.chunk import Chunk, ContentHash, EmbeddedChunk, content_hash
from modulo.domain.chunking import chunk
from modulo.domain.document import Page
from modulo.domain.errors import AlteredFile, EmptyFile, FileRejected, ModuloError, OversizedFile, Unavailable
from modulo.domain.file import DocumentInfo, FileProblem, Stage
from modulo.domain.media import media_type_of
from modulo.domain.transfer import Claim, IngestRequest, ObjectInfo, PurgeRequest
from modulo.ports import Blobs, Clock, Embedder, Metadata, Metrics, Parser, Queue, Vectors
from modulo.usecases.overlapping import overlapping
from modulo.usecases.purge import request_purge

log = logging.getLogger(__name__)
Element = TypeVar("Element")


class Outcome(StrEnum):
    """How one delivery ended."""

    ready = "ready"
    failed = "failed"
    skipped = "skipped"


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """How ingestion is cut into steps; times in seconds."""

    max_bytes: int
    embedding_batch: int
    embedding_concurrency: int
    vector_batch: int
    lease_seconds: int
    deadline_seconds: int
    attempts: int


class _ClaimLostError(Exception):
    """The generation was deleted, ended or taken over while it was being ingested."""


def ingest_file(
    request: IngestRequest,
    *,
    metadata: Metadata,
    blobs: Blobs,
    vectors: Vectors,
    embedder: Embedder,
    parser_for: Callable[[str], Parser],
    purges: Queue,
    metrics: Metrics,
    clock: Clock,
    limits: IngestLimits,
) -> Outcome:
    """Ingest one generation: claim, parse, chunk, embed, index, verify, publish.

    A delivery that comes twice, late or for something deleted is skipped. A file that cannot be
    read ends failed with the reason. What may pass is raised, so that the queue delivers again;
    the last attempt ends the file as failed before it raises.

    Raises:
        ModuloError: a part did not answer; nothing of this attempt is visible.
    """
    ref = request.ref
    stored = blobs.info(ref)
    if stored is None:
        return Outcome.skipped
    now = clock.now()
    claim = metadata.claim(
        ref,
        version=stored.version,
        now=now,
        lease_until=now + timedelta(seconds=limits.lease_seconds),
        deadline=now + timedelta(seconds=limits.deadline_seconds),
    )
    if claim is None:
        return Outcome.skipped
    run = _Run(claim, metadata, blobs, vectors, embedder, parser_for, metrics, clock, limits)
    try:
        run.index(stored)
    except _ClaimLostError:
        if not metadata.viable(ref):  # or else another worker's chunks, under the same ids, would go too
            run.forget()
        return Outcome.skipped
    except FileRejected as error:
        run.fail(FileProblem(code=error.code(), detail=error.detail, retryable=False))
        return Outcome.failed
    except Exception as error:
        run.give_up(error)
    if ref.generation > 1:
        request_purge(PurgeRequest(ref.tenant_id, ref.collection_id, ref.file_id), purges=purges)
    return Outcome.ready


@dataclass(slots=True)
class _Run:
    """One attempt at one generation."""

    claim: Claim
    metadata: Metadata
    blobs: Blobs
    vectors: Vectors
    embedder: Embedder
    parser_for: Callable[[str], Parser]
    metrics: Metrics
    clock: Clock
    limits: IngestLimits
    hashed: ContentHash = field(default_factory=ContentHash)
    pages_read: int = 0
    parse_seconds: float = 0

    def index(self, stored: ObjectInfo) -> None:
        """Everything from the stored bytes to the published generation."""
        self.vectors.prepare(self.claim.space)
        with self.blobs.open(self.claim.ref) as content:
            info = self._write(self._checked(content, stored))
        if not self.hashed.count:
            raise EmptyFile
        self._advance(Stage.indexing, pages_done=self.pages_read, pages_total=self.pages_read)
        self.vectors.flush(self.claim.space)
        self._verify()
        published = self.metadata.publish(
            self.claim,
            chunk_count=self.hashed.count,
            content_hash=self.hashed.hexdigest(),
            info=info,
            now=self.clock.now(),
        )
        if not published:
            raise _ClaimLostError
        self.metrics.count("rag_chunks_indexed_total", self.hashed.count)

    def forget(self) -> None:
        """Remove what this attempt wrote."""
        ref = self.claim.ref
        self.vectors.delete(self.claim.space, file_id=ref.file_id, generation=ref.generation)

    def fail(self, problem: FileProblem) -> None:
        """End the generation; what a failed removal leaves behind is invisible and purged later."""
        if not self.metadata.fail(self.claim, problem, now=self.clock.now()):
            return
        log.info("file %s failed: %s", self.claim.ref.file_id, problem.code)
        try:
            self.forget()
        except Unavailable as error:
            log.warning("failed generation left to the purge: %s", error.detail)

    def give_up(self, error: Exception) -> NoReturn:
        """End this attempt: let the queue deliver again, or fail after the last one."""
        if self.claim.attempt < self.limits.attempts:
            self.metadata.release(self.claim, now=self.clock.now())
        else:
            known = isinstance(error, ModuloError)
            code = error.code() if isinstance(error, ModuloError) else "internal-error"
            detail = str(error) if known else "The file could not be processed; the failure was recorded."
            self.fail(FileProblem(code=code, detail=detail, retryable=True))
        raise error

    def _checked(self, content: BinaryIO, stored: ObjectInfo) -> BinaryIO:
        """The content, once it is what was announced."""
        if stored.size_bytes > self.limits.max_bytes:
            raise OversizedFile
        if stored.size_bytes != self.claim.size_bytes:
            raise AlteredFile(f"{self.claim.size_bytes} bytes were announced, {stored.size_bytes} arrived.")
        announced = self.claim.checksum_sha256
        if announced and _sha256(content) != announced:
            raise AlteredFile("The bytes that arrived do not have the announced checksum.")
        content.seek(0)
        return content

    def _write(self, content: BinaryIO) -> DocumentInfo:
        """Parse, chunk, embed and upsert in a stream: memory holds a few batches, however long the file."""
        head = content.read(4096)
        content.seek(0)
        parsed = self.parser_for(media_type_of(self.claim.name, head)).parse(content)
        self._advance(Stage.embedding, pages_total=parsed.info.total_pages)
        batches = _batches(chunk(self._read(parsed.pages()), self.claim.chunking), self.limits.embedding_batch)
        waiting: list[EmbeddedChunk] = []
        with closing(overlapping(batches, self._embed, at_once=self.limits.embedding_concurrency)) as embedded:
            for batch, found in embedded:
                waiting += self._embedded(batch, found)
                if len(waiting) >= self.limits.vector_batch:
                    self.vectors.upsert(self.claim.space, waiting)
                    waiting = []
                if len(batch) == self.limits.embedding_batch:  # after the last one, the next stage says it
                    self._advance(Stage.embedding, pages_done=self.pages_read)
        if waiting:
            self.vectors.upsert(self.claim.space, waiting)
        self.metrics.observe("rag_ingest_seconds", self.parse_seconds, stage="parsing")
        return parsed.info

    def _read(self, pages: Iterator[Page]) -> Iterator[Page]:
        while True:
            started = perf_counter()
            page = next(pages, None)
            self.parse_seconds += perf_counter() - started
            if page is None:
                return
            self.pages_read += 1
            yield page

    def _embed(self, batch: list[Chunk]) -> list[list[float]]:
        started = perf_counter()
        vectors = self.embedder.embed(self.claim.space.model, [piece.embedded_text for piece in batch])
        self.metrics.observe("rag_ingest_seconds", perf_counter() - started, stage="embedding")
        return vectors

    def _embedded(self, batch: list[Chunk], vectors: list[list[float]]) -> Iterator[EmbeddedChunk]:
        for piece, vector in zip(batch, vectors, strict=True):
            self.hashed.add(piece.text)
            yield EmbeddedChunk(self.claim.ref, piece, vector, self.claim.name, self.claim.media_type)

    def _advance(self, stage: Stage, *, pages_done: int | None = None, pages_total: int | None = None) -> None:
        now = self.clock.now()
        lease = now + timedelta(seconds=self.limits.lease_seconds)
        if not self.metadata.advance(
            self.claim, stage, pages_done=pages_done, pages_total=pages_total, lease_until=lease, now=now
        ):
            raise _ClaimLostError

    def _verify(self) -> None:
        texts = self.vectors.texts(self.claim.space, self.claim.ref)
        if len(texts) != self.hashed.count or content_hash(texts) != self.hashed.hexdigest():
            detail = f"The vector store holds {len(texts)} of {self.hashed.count} chunks, or others."
            raise Unavailable(detail, dependency="milvus")


def _sha256(content: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := content.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _batches(items: Iterable[Element], size: int) -> Iterator[list[Element]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch

"""Turn an uploaded file into chunks that searches find, and verify that all of them are there."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import BinaryIO

from modulo.domain.chunk import content_hash
from modulo.domain.document import Part
from modulo.domain.errors import (
    AlteredFile,
    EmptyFile,
    LostFile,
    NotFound,
    OversizedFile,
    ScannedFile,
    Unavailable,
)
from modulo.domain.file import DocumentInfo, FileProblem, Stage
from modulo.domain.media import HEAD_BYTES, ZIP, media_type_of
from modulo.domain.quota import Quotas
from modulo.domain.transfer import Claim, IngestRequest, ObjectInfo, PartResult, PurgeRequest
from modulo.ports import Blobs, Cache, Clock, Embedder, Metadata, Metrics, Parsed, Parser, Queue, Unpacker, Vectors
from modulo.usecases.cache_keys import chunk_group
from modulo.usecases.expanding import Expanding
from modulo.usecases.holding import ClaimLostError, Holding
from modulo.usecases.indexing import Indexing, IndexLimits, indexing_of
from modulo.usecases.purge import request_purge

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """How one delivery ended."""

    ready = "ready"
    divided = "divided"
    indexed = "indexed"
    """A part is; others are left."""
    failed = "failed"
    skipped = "skipped"


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """How ingestion is cut into steps; times in seconds."""

    max_bytes: int
    part_pages: int
    part_bytes: int
    index: IndexLimits
    quotas: Quotas
    lease_seconds: int
    deadline_seconds: int
    attempts: int
    recognises: bool = False
    """Whether parsers recognise the text of scanned pages."""


def ingest_file(
    request: IngestRequest,
    *,
    metadata: Metadata,
    blobs: Blobs,
    vectors: Vectors,
    embedder: Embedder,
    cache: Cache,
    parser_for: Callable[[str], Parser],
    unpacker: Unpacker,
    ingests: Queue,
    purges: Queue,
    metrics: Metrics,
    clock: Clock,
    limits: IngestLimits,
) -> Outcome:
    """Ingest one generation: claim, parse, chunk, embed, index, verify, publish.

    A large document is divided: each part is a message of its own, and who ingests the last one
    publishes the whole. Should messages get lost, the sweep has the whole claimed again, which sends
    those of the parts that are left.

    An archive is expanded into files, each of which is ingested by the event that storing it raises.

    A delivery that comes twice, late or for something deleted is skipped. A file that cannot be
    read ends failed with the reason. What a retry can help is raised, so that the queue delivers
    again; the last attempt ends the file as failed before it raises.

    Raises:
        ModuloError: a part did not answer; nothing of this attempt is visible.
    """
    ref = request.ref
    stored = blobs.info(ref)
    if stored is None:
        return Outcome.skipped
    claim = _claim(request, stored, metadata=metadata, now=clock.now(), limits=limits)
    if claim is None:
        return Outcome.skipped
    holding = Holding(claim, metadata, clock, limits.lease_seconds)
    indexing = indexing_of(
        holding, vectors=vectors, embedder=embedder, cache=cache, metrics=metrics, limits=limits.index
    )
    run = _Run(holding, indexing, metadata, blobs, vectors, parser_for, unpacker, ingests, metrics, limits)
    try:
        outcome = run.work(stored)
    except ClaimLostError:
        if not metadata.viable(ref):  # or else another worker's chunks, under the same ids, would go too
            run.forget()
            cache.delete(chunk_group(ref.tenant_id, ref.collection_id, ref.file_id))
        return Outcome.skipped
    except Exception as error:
        problem = FileProblem.of(error)
        run.give_up(problem)
        if problem.retryable:
            raise
        return Outcome.failed
    if outcome is Outcome.ready and ref.generation > 1:
        request_purge(PurgeRequest(ref.tenant_id, ref.collection_id, ref.file_id), purges=purges)
    return outcome


def _claim(
    request: IngestRequest, stored: ObjectInfo, *, metadata: Metadata, now: datetime, limits: IngestLimits
) -> Claim | None:
    lease = now + timedelta(seconds=limits.lease_seconds)
    if request.part is not None:
        return metadata.claim_part(request.ref, request.part, now=now, lease_until=lease)
    deadline = now + timedelta(seconds=limits.deadline_seconds)
    return metadata.claim(request.ref, version=stored.version, now=now, lease_until=lease, deadline=deadline)


@dataclass(slots=True)
class _Run:
    """One attempt at one generation, or at a part of one."""

    holding: Holding
    indexing: Indexing
    metadata: Metadata
    blobs: Blobs
    vectors: Vectors
    parser_for: Callable[[str], Parser]
    unpacker: Unpacker
    ingests: Queue
    metrics: Metrics
    limits: IngestLimits
    checksum: str | None = None
    """Of the whole file, once all of it was read."""

    @property
    def claim(self) -> Claim:
        """What is held at present."""
        return self.holding.claim

    def work(self, stored: ObjectInfo) -> Outcome:
        """Whatever is to be done next for the claimed."""
        if self.claim.divided and self.claim.part is None:
            return self._go_on()
        self.vectors.prepare(self.claim.space)
        with self._opened() as content:
            media_type = self._media_type(self._checked(content, stored))
            if media_type == ZIP:
                return self._publish(self._expand(content))
            parsed = self.parser_for(media_type).parse(content)
            if self.claim.part is None and len(parts := self._parts(parsed)) > 1:
                total = parsed.info.total_pages or len(parts)
                seconds = self.limits.deadline_seconds
                self.holding.divide(parts, pages_total=total, checksum_sha256=self.checksum, deadline_seconds=seconds)
                return self._go_on()
            self.holding.advance(Stage.embedding, pages_total=parsed.info.total_pages)
            self.indexing.write(parsed, self._progress)
        result = self.indexing.result(parsed.info)
        if self.claim.part is not None:
            return self._finish_part(result)
        if not result.chunk_count:
            raise EmptyFile
        pages = self.indexing.pages_read
        self.holding.advance(Stage.indexing, pages_done=pages, pages_total=pages)
        self.vectors.flush(self.claim.space)
        self.indexing.verify()
        return self._publish(result)

    def _publish(self, whole: PartResult) -> Outcome:
        self.holding.publish(whole, checksum_sha256=self.checksum)
        self.metrics.count("rag_chunks_indexed_total", whole.chunk_count)
        return Outcome.ready

    def _parts(self, parsed: Parsed) -> tuple[Part, ...]:
        if parsed.extent is None:
            return ()
        return parsed.extent.parts(self.limits.part_pages if parsed.extent.unit == "pages" else self.limits.part_bytes)

    def _go_on(self) -> Outcome:
        """Have the parts that are left worked on; publish where none is."""
        parts = self.metadata.parts(self.claim.ref)
        left = [state.part.number for state in parts if state.result is None]
        for number in left:
            self.ingests.send(IngestRequest(self.claim.ref, number).body())
        return Outcome.divided if left else self._finish()

    def _finish_part(self, result: PartResult) -> Outcome:
        self._progress()
        self.indexing.verify()
        return self._finish() if self.holding.finish_part(result) else Outcome.indexed

    def _finish(self) -> Outcome:
        """Publish a generation whose parts are all ingested and verified."""
        whole = _combined([state.result for state in self.metadata.parts(self.claim.ref) if state.result])
        if not whole.chunk_count:
            scanned = ScannedFile.unrecognised if self.limits.recognises else ScannedFile
            raise scanned() if whole.info.scanned_pages else EmptyFile
        self.vectors.flush(self.claim.space)
        ref = self.claim.ref
        stored = self.vectors.count(self.claim.space, file_id=ref.file_id, generation=ref.generation)
        if stored != whole.chunk_count:
            detail = f"The vector store holds {stored} of {whole.chunk_count} chunks."
            raise Unavailable(detail, dependency="milvus")
        return self._publish(whole)

    def forget(self) -> None:
        """Remove what this attempt wrote."""
        ref = self.claim.ref
        self.vectors.delete(self.claim.space, file_id=ref.file_id, generation=ref.generation)

    def fail(self, problem: FileProblem) -> None:
        """End the generation; what a failed removal leaves behind is invisible and purged later."""
        if not self.holding.fail(problem):
            return
        log.info("file %s failed: %s", self.claim.ref.file_id, problem.code)
        try:
            self.forget()
        except Unavailable as error:
            log.warning("failed generation left to the purge: %s", error.detail)

    def give_up(self, problem: FileProblem) -> None:
        """End this attempt: let the queue deliver again, or fail where that cannot help or was the last time."""
        if problem.retryable and self.claim.attempt < self.limits.attempts:
            self.holding.release()
        else:
            self.fail(problem)

    def _opened(self) -> BinaryIO:
        try:
            return self.blobs.open(self.claim.ref)
        except NotFound:
            raise LostFile from None

    def _checked(self, content: BinaryIO, stored: ObjectInfo) -> BinaryIO:
        """The content, once it is what was announced."""
        if stored.size_bytes > self.limits.max_bytes:
            raise OversizedFile
        if stored.size_bytes != self.claim.size_bytes:
            raise AlteredFile(f"{self.claim.size_bytes} bytes were announced, {stored.size_bytes} arrived.")
        if self.claim.part is None:
            self.checksum = _sha256(content)
            if self.claim.checksum_sha256 not in (None, self.checksum):
                raise AlteredFile("The bytes that arrived do not have the announced checksum.")
        content.seek(0)
        return content

    def _media_type(self, content: BinaryIO) -> str:
        head = content.read(HEAD_BYTES)
        content.seek(0)
        return media_type_of(self.claim.name, head)

    def _expand(self, content: BinaryIO) -> PartResult:
        """Make files of what an archive holds; it has no chunks of its own."""
        limits = self.limits
        expanding = Expanding(self.holding, self.metadata, self.blobs, limits.quotas, limits.deadline_seconds)
        return expanding.expand(self.unpacker.unpack(content))

    def _progress(self) -> None:
        self.holding.advance(Stage.embedding, pages_done=self.indexing.pages_read)


def _combined(parts: Sequence[PartResult]) -> PartResult:
    """What the parts are together; the hash is one over theirs."""
    count = sum(part.chunk_count for part in parts)
    return PartResult(
        count, content_hash(part.content_hash for part in parts), DocumentInfo.together([part.info for part in parts])
    )


def _sha256(content: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := content.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()

"""One attempt at ingesting what was claimed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from modulo.domain.errors import EmptyFile, RevokedUpload, Unavailable
from modulo.domain.files.file import Stage
from modulo.domain.files.media import ZIP
from modulo.usecases.ingest_file.archive import ArchiveExpansion
from modulo.usecases.ingest_file.division import parts_of, queue_open_parts, verified_whole
from modulo.usecases.ingest_file.source import check_size, checked_checksum, detected_media_type, open_source

if TYPE_CHECKING:
    from typing import BinaryIO

    from modulo.domain.files.file import FileProblem
    from modulo.domain.files.stored_object import ObjectInfo
    from modulo.domain.ingestion.claim import Claim, PartResult
    from modulo.usecases.ingest_file.indexing import Indexing
    from modulo.usecases.ingest_file.lease import ClaimLease
    from modulo.usecases.ingest_file.limits import IngestLimits
    from modulo.usecases.ingest_file.ports import IngestPorts

log = logging.getLogger(__name__)


class IngestOutcome(StrEnum):
    """How one delivery ended."""

    ready = "ready"
    divided = "divided"
    """Its parts are queued."""
    indexed = "indexed"
    """A part is; others are left."""
    failed = "failed"
    skipped = "skipped"


@dataclass(slots=True)
class IngestAttempt:
    """One attempt at one generation, or at a part of one."""

    lease: ClaimLease
    indexing: Indexing
    ports: IngestPorts
    limits: IngestLimits
    checksum: str | None = None
    """SHA-256 of the whole file, once all of it was read."""

    @property
    def claim(self) -> Claim:
        """What is claimed at present."""
        return self.lease.claim

    def run(self, stored: ObjectInfo) -> IngestOutcome:
        """Ingest what is claimed, or do the next step of a divided generation.

        Raises:
            ClaimLostError: the claim no longer holds.
            ModuloError: the file cannot be read, or a part did not answer.
        """
        if not self.claim.may_upload:
            raise RevokedUpload
        if self.claim.divided and self.claim.part is None:
            return self._continue_parts()
        self.ports.vectors.prepare(self.claim.space)
        with open_source(self.ports.blobs, self.claim) as content:
            check_size(self.claim, stored, max_bytes=self.limits.max_bytes)
            if self.claim.part is None:
                self.checksum = checked_checksum(self.claim, content)
            media_type = detected_media_type(self.claim, content)
            if media_type == ZIP:
                return self._publish(self._expand(content))
            parsed = self.ports.parser_for(media_type).parse(content)
            if self.claim.part is None and len(parts := parts_of(parsed, self.limits)) > 1:
                total = parsed.info.total_pages or len(parts)
                seconds = self.limits.deadline_seconds
                self.lease.divide(parts, pages_total=total, checksum_sha256=self.checksum, deadline_seconds=seconds)
                return self._continue_parts()
            self.lease.advance(Stage.embedding, pages_total=parsed.info.total_pages)
            self.indexing.write(parsed, self._report_progress)
        result = self.indexing.result(parsed.info)
        return self._finish_whole(result) if self.claim.part is None else self._finish_part(result)

    def give_up(self, problem: FileProblem) -> None:
        """Release the claim for the next delivery; fail the file where a retry cannot help or this was the last."""
        if problem.retryable and self.claim.attempt < self.limits.attempts:
            self.lease.release()
        elif self.lease.fail(problem):
            log.info("file %s failed: %s", self.claim.ref.file_id, problem.code)
            try:
                self.delete_chunks()
            except Unavailable as error:  # they are invisible
                log.warning("chunks of failed file %s left to the purge: %s", self.claim.ref.file_id, error.detail)

    def delete_chunks(self) -> None:
        """Delete the generation's chunks from the vector store."""
        ref = self.claim.ref
        self.ports.vectors.delete(self.claim.space, file_id=ref.file_id, generation=ref.generation)

    def _finish_whole(self, result: PartResult) -> IngestOutcome:
        if not result.chunk_count:
            raise EmptyFile
        pages = self.indexing.pages_read
        self.lease.advance(Stage.indexing, pages_done=pages, pages_total=pages)
        self.ports.vectors.flush(self.claim.space, written=result.chunk_count)
        self.indexing.verify()
        return self._publish(result)

    def _finish_part(self, result: PartResult) -> IngestOutcome:
        self._report_progress()
        self.indexing.verify()
        return self._publish_parts() if self.lease.finish_part(result) else IngestOutcome.indexed

    def _continue_parts(self) -> IngestOutcome:
        return IngestOutcome.divided if queue_open_parts(self.claim, self.ports) else self._publish_parts()

    def _publish_parts(self) -> IngestOutcome:
        return self._publish(verified_whole(self.claim, self.ports, recognises=self.limits.recognises))

    def _publish(self, whole: PartResult) -> IngestOutcome:
        self.lease.publish(whole, checksum_sha256=self.checksum)
        self.ports.metrics.count("rag_chunks_indexed_total", whole.chunk_count)
        for warning in whole.info.warnings or ():
            self.ports.metrics.count("rag_reading_warnings_total", code=warning.code)
        return IngestOutcome.ready

    def _expand(self, content: BinaryIO) -> PartResult:
        """Make files of what an archive holds; it has no chunks of its own."""
        expansion = ArchiveExpansion(
            lease=self.lease,
            uploads=self.ports.uploads,
            blobs=self.ports.blobs,
            quotas=self.limits.quotas,
            deadline_seconds=self.limits.deadline_seconds,
        )
        return expansion.expand(self.ports.unpacker.unpack(content))

    def _report_progress(self) -> None:
        self.lease.advance(Stage.embedding, pages_done=self.indexing.pages_read)

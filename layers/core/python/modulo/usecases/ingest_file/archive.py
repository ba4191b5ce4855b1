"""Expand an archive into files of its collection, each of which is ingested by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid5

from modulo.domain.documents.chunk import content_hash
from modulo.domain.errors import Conflict, EmptyFile, FileRejected, ModuloError, QuotaExceeded, Unavailable
from modulo.domain.files.archive import ArchivedFile, ArchivedNames, safe_path
from modulo.domain.files.file import MAX_LISTED_LEFT_OUT, DocumentInfo, FileRef, LeftOut, Stage
from modulo.domain.files.media import HEAD_BYTES, media_type_of
from modulo.domain.files.upload import FileDraft
from modulo.domain.ingestion.claim import PartResult
from modulo.usecases.ingest_file.lease import ClaimLease, ClaimLostError

if TYPE_CHECKING:
    from modulo.domain.tenancy.quota import Quotas
    from modulo.ports.blobs import Blobs
    from modulo.ports.metadata.uploads import Uploads

RETRY_AFTER_SECONDS = 30


@dataclass(slots=True)
class ArchiveExpansion:
    """The files made of the claimed archive so far, and those left out.

    Each has `deadline_seconds` to be ingested. The expansion can be interrupted and repeated: the same files get the
    same ids, and those that are stored stay.
    """

    lease: ClaimLease
    uploads: Uploads
    blobs: Blobs
    quotas: Quotas
    deadline_seconds: int
    names: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def expand(self, unpacked: Iterable[ArchivedFile]) -> PartResult:
        """Reserve and store each file that can be read; delete those that the archive no longer holds.

        Raises:
            EmptyFile: the archive holds no files.
            Unavailable: a file of an earlier upload of the archive is being ingested.
        """
        names = ArchivedNames(self.lease.claim.name)
        for file in unpacked:
            name = names.name(file.path)
            self.names.append(name)
            try:
                self._add(name, file)
            except (FileRejected, QuotaExceeded) as error:
                self._leave_out(file, error)
            self.lease.advance(Stage.parsing, pages_done=len(self.names))
        if not self.names:
            raise EmptyFile("The archive holds no files.")
        if not self._is_reembedding:
            self._drop_others()
        made = len(self.names) - len(self.left_out)
        info = DocumentInfo(files=made, left_out=tuple(self.left_out[:MAX_LISTED_LEFT_OUT]) or None)
        return PartResult(0, content_hash([]), info)

    def _add(self, name: str, archived: ArchivedFile) -> None:
        if archived.problem is not None:
            raise archived.problem
        if not archived.content:
            raise EmptyFile
        media_type = media_type_of(name, archived.content[:HEAD_BYTES])
        if self._is_reembedding:
            return
        now = self.lease.clock.now()
        archive = self.lease.claim.ref
        draft = FileDraft(
            id=uuid5(archive.task_id, name),
            name=name,
            media_type=media_type,
            size_bytes=len(archived.content),
            checksum_sha256=hashlib.sha256(archived.content).hexdigest(),
            deadline=now + timedelta(seconds=self.deadline_seconds),
        )
        try:
            file = self.uploads.reserve_archived(self.lease.claim, draft, quotas=self.quotas, now=now)
        except Conflict as error:
            raise Unavailable(error.detail, dependency="ingestion", retry_after=RETRY_AFTER_SECONDS) from error
        if file is None:
            raise ClaimLostError
        if file.stage.awaits_bytes:
            ref = FileRef(archive.tenant_id, archive.collection_id, file.id, file.generation)
            self.blobs.put(ref, archived.content, media_type=file.media_type)

    @property
    def _is_reembedding(self) -> bool:
        """Whether this generation re-embeds the archive: its files exist already and are re-embedded by themselves."""
        ref = self.lease.claim.ref
        return ref.source not in (None, ref.generation)

    def _drop_others(self) -> None:
        now = self.lease.clock.now()
        if not self.uploads.drop_archived(self.lease.claim, keep=self.names, now=now):
            raise ClaimLostError

    def _leave_out(self, archived: ArchivedFile, error: ModuloError) -> None:
        self.left_out.append(LeftOut(path=safe_path(archived.path), code=error.code(), detail=error.detail))

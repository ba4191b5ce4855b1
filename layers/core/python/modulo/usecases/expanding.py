"""Expand an archive into files of its collection, each of which is ingested by itself."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid5

from modulo.domain.archive import ArchivedFile, ArchivedNames, cleaned
from modulo.domain.chunk import content_hash
from modulo.domain.errors import Conflict, EmptyFile, FileRejected, ModuloError, QuotaExceeded, Unavailable
from modulo.domain.file import MOST_LEFT_OUT, DocumentInfo, FileRef, LeftOut, Stage
from modulo.domain.media import HEAD_BYTES, media_type_of
from modulo.domain.quota import Quotas
from modulo.domain.transfer import FileDraft, PartResult
from modulo.ports import Blobs, Metadata
from modulo.usecases.holding import ClaimLostError, Holding

BUSY_SECONDS = 30


@dataclass(slots=True)
class Expanding:
    """The files made of the claimed archive so far, and those left out.

    Each has `deadline_seconds` to be ingested. This may be interrupted and begun again: the same files are
    found under the same ids, and what was stored of them stays.
    """

    holding: Holding
    metadata: Metadata
    blobs: Blobs
    quotas: Quotas
    deadline_seconds: int
    names: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def expand(self, unpacked: Iterable[ArchivedFile]) -> PartResult:
        """Reserve and store a file for each that can be read; drop those that the archive no longer holds.

        Raises:
            EmptyFile: the archive holds no files.
            Unavailable: a file of an earlier upload of the archive is being ingested.
        """
        names = ArchivedNames(self.holding.claim.name)
        for one in unpacked:
            name = names.name(one.path)
            self.names.append(name)
            try:
                self._add(name, one)
            except (FileRejected, QuotaExceeded) as error:
                self._leave_out(one, error)
            self.holding.advance(Stage.parsing, pages_done=len(self.names))
        if not self.names:
            raise EmptyFile("The archive holds no files.")
        if not self._embedded_anew:
            self._drop_others()
        made = len(self.names) - len(self.left_out)
        info = DocumentInfo(files=made, left_out=tuple(self.left_out[:MOST_LEFT_OUT]) or None)
        return PartResult(0, content_hash([]), info)

    def _add(self, name: str, one: ArchivedFile) -> None:
        if one.problem is not None:
            raise one.problem
        if not one.content:
            raise EmptyFile
        media_type = media_type_of(name, one.content[:HEAD_BYTES])
        if self._embedded_anew:
            return
        now = self.holding.clock.now()
        archive = self.holding.claim.ref
        draft = FileDraft(
            id=uuid5(archive.task_id, name),
            name=name,
            media_type=media_type,
            size_bytes=len(one.content),
            checksum_sha256=hashlib.sha256(one.content).hexdigest(),
            deadline=now + timedelta(seconds=self.deadline_seconds),
        )
        try:
            file = self.metadata.reserve_archived(self.holding.claim, draft, quotas=self.quotas, now=now)
        except Conflict as error:
            raise Unavailable(error.detail, dependency="ingestion", retry_after=BUSY_SECONDS) from error
        if file is None:
            raise ClaimLostError
        if file.stage is Stage.awaiting_upload:
            ref = FileRef(archive.tenant_id, archive.collection_id, file.id, file.generation)
            self.blobs.put(ref, one.content, media_type=file.media_type)

    @property
    def _embedded_anew(self) -> bool:
        """Whether the archive was expanded when it was uploaded, and its files are embedded anew beside it."""
        ref = self.holding.claim.ref
        return ref.source not in (None, ref.generation)

    def _drop_others(self) -> None:
        now = self.holding.clock.now()
        if not self.metadata.drop_archived(self.holding.claim, keep=self.names, now=now):
            raise ClaimLostError

    def _leave_out(self, one: ArchivedFile, error: ModuloError) -> None:
        self.left_out.append(LeftOut(path=cleaned(one.path), code=error.code(), detail=error.detail))

"""The reference model of files, with their deletions and purges."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from modulo.domain.files import generation as life
from modulo.domain.files.file import FileRef, Stage
from modulo.domain.operations.deletion import (
    DIRECT_UPLOAD_TIMEOUT,
    Inventory,
    ReceiptRevision,
    Removed,
    deletion_id,
    open_until,
)
from modulo.domain.operations.purge import Purge
from modulo.domain.tenancy.identity import Principal
from tests.doubles.generation_model import Generation, GenerationModel


class DeletionModel(GenerationModel):
    """Files are tombstoned, and what nothing needs any more is purged."""

    def tombstone_file(self, _owner: Principal, _id: UUID, file_id: UUID, *, now: datetime) -> FileRef:
        file = self.files_by_id[file_id]
        if file.deleted_at is None:
            moments = [moment for row in file.generations for moment in arrivals(row)]
            file.open_until = open_until(moments, now=now)
            file.deleted_at, file.purge_after = now, now + life.PURGE_AFTER
            for row in file.generations:
                row.end(Stage.deleting, now)
                row.purge_after = None
            self.version, self.updated_at = self.version + 1, now
        return self.ref(file.newest)

    def find_purge(self, _tenant_id: UUID, _id: UUID, file_id: UUID) -> Any:
        file = self.files_by_id[file_id]
        left = [row for row in file.generations if row.purged_at is None]
        retired = [row for row in left if row.retired_at]
        if file.purged_at or not (file.deleted_at or retired):
            return None
        if file.deleted_at:
            receipt = ReceiptRevision(deletion_id(file_id), 0, Removed(), Inventory())
            return Purge(self.space(self.index), file_id, None, receipt=receipt)
        kept = {row.source for row in left if row.retired_at is None}
        objects = tuple(sorted({row.source for row in retired} - kept))
        return Purge(self.space(self.index), file_id, tuple(row.number for row in retired), objects)

    def record_removal(self, _tenant_id: UUID, receipt: ReceiptRevision, *_: Any, **_more: Any) -> ReceiptRevision:
        return receipt

    def mark_purged(self, purge: Purge, *, now: datetime) -> bool:
        file = self.files_by_id[purge.file_id]
        until = open_until([file.open_until], now=now) if purge.receipt else None
        gone = [row for row in file.generations if purge.generations is None or row.number in purge.generations]
        for row in gone:
            heirs = [one for one in row.family if not (one.retired_at or one.purged_at or one.stage is Stage.failed)]
            if row.charged and heirs and purge.generations:
                heirs[0].charged = True
            row.charged = False
            if until is None:
                row.purged_at, row.purge_after = row.purged_at or now, None
            if until is None and purge.generations is None:
                row.stage, row.problem, row.parts = Stage.deleted, None, []
        if purge.generations is None:
            file.purge_after, file.purged_at = until, None if until else now
        return True


def arrivals(row: Generation) -> Iterator[datetime | None]:
    """Until when bytes or vectors of the generation may still arrive."""
    yield row.arrives_until
    yield row.created_at + DIRECT_UPLOAD_TIMEOUT if row.stage is Stage.awaiting_upload else None
    yield row.lease_until if row.claim_token else None
    yield from (part.lease_until for part in row.parts)

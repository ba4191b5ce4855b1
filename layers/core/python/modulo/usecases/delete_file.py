"""Delete a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.operations.deletion import DeletionRequested, deletion_id
from modulo.domain.operations.purge import PurgeRequest
from modulo.usecases.purge import request_purge

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.files import Files
    from modulo.ports.queue import Queue


def delete_file(
    principal: Principal, collection_id: UUID, file_id: UUID, *, files: Files, purges: Queue, clock: Clock
) -> DeletionRequested:
    """Tombstone a file, which makes it invisible at once, to searches too, and queue its purge."""
    files.tombstone_file(principal, collection_id, file_id, now=clock.now())
    request_purge(PurgeRequest(principal.tenant_id, collection_id, file_id), purges=purges)
    return DeletionRequested(id=file_id, deletion_id=deletion_id(file_id))

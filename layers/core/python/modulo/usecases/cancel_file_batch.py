"""Cancel a batch of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.operations.purge import PurgeRequest
from modulo.usecases.purge import request_purge

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.file_batch import FileBatch
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.file_batches import FileBatches
    from modulo.ports.queue import Queue


def cancel_file_batch(
    principal: Principal,
    collection_id: UUID,
    batch_id: UUID,
    *,
    file_batches: FileBatches,
    purges: Queue,
    clock: Clock,
) -> FileBatch:
    """Take the files out again that it put in and nobody has begun to read; what is being read or was read stays.

    Raises:
        NotFound: the collection has no such batch, or is not visible.
        Forbidden: the caller may not change the collection.
    """
    now = clock.now()
    for file_id in file_batches.cancel_batch(principal, collection_id, batch_id, now=now):
        request_purge(PurgeRequest(principal.tenant_id, collection_id, file_id), purges=purges)
    return file_batches.get_batch(principal, collection_id, batch_id, now=now, fresh=True)

"""Show a batch of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.file_batch import FileBatch
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.file_batches import FileBatches


def get_file_batch(
    principal: Principal, collection_id: UUID, batch_id: UUID, *, file_batches: FileBatches, clock: Clock
) -> FileBatch:
    """What became of each of its files so far.

    Raises:
        NotFound: the collection has no such batch, or is not visible.
    """
    return file_batches.get_batch(principal, collection_id, batch_id, now=clock.now())

"""Delete a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.operations.deletion import DeletionRequested, deletion_id
from modulo.domain.operations.purge import PurgeRequest
from modulo.usecases.purge import request_purge

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.collections import Collections
    from modulo.ports.queue import Queue


def delete_collection(
    principal: Principal, collection_id: UUID, *, collections: Collections, purges: Queue, clock: Clock
) -> DeletionRequested:
    """Tombstone a collection, which makes it invisible at once, and queue its purge."""
    collections.tombstone_collection(principal, collection_id, now=clock.now())
    request_purge(PurgeRequest(principal.tenant_id, collection_id, None), purges=purges)
    return DeletionRequested(id=collection_id, deletion_id=deletion_id(collection_id))

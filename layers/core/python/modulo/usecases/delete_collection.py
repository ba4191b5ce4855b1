"""Delete a collection."""

from uuid import UUID

from modulo.domain.deletion import DeletionRequested, deletion_id
from modulo.domain.identity import Principal
from modulo.domain.transfer import PurgeRequest
from modulo.ports import Clock, Metadata, Queue
from modulo.usecases.purge import request_purge


def delete_collection(
    principal: Principal, collection_id: UUID, *, metadata: Metadata, purges: Queue, clock: Clock
) -> DeletionRequested:
    """Make a collection invisible at once and have everything in it removed."""
    metadata.tombstone_collection(principal, collection_id, now=clock.now())
    request_purge(PurgeRequest(principal.tenant_id, collection_id, None), purges=purges)
    return DeletionRequested(id=collection_id, deletion_id=deletion_id(collection_id))

"""Delete a file."""

from uuid import UUID

from modulo.domain.deletion import DeletionRequested, deletion_id
from modulo.domain.identity import Principal
from modulo.domain.transfer import PurgeRequest
from modulo.ports import Clock, Metadata, Queue
from modulo.usecases.purge import request_purge


def delete_file(
    principal: Principal, collection_id: UUID, file_id: UUID, *, metadata: Metadata, purges: Queue, clock: Clock
) -> DeletionRequested:
    """Make a file invisible at once, to searches too, and have everything of it removed."""
    metadata.tombstone_file(principal, collection_id, file_id, now=clock.now())
    request_purge(PurgeRequest(principal.tenant_id, collection_id, file_id), purges=purges)
    return DeletionRequested(id=file_id, deletion_id=deletion_id(file_id))

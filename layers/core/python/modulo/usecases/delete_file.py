"""Delete a file."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.domain.transfer import PurgeRequest
from modulo.domain.upload import Deletion
from modulo.ports import Clock, Metadata, Queue
from modulo.usecases.purge import request_purge


def delete_file(
    principal: Principal, collection_id: UUID, file_id: UUID, *, metadata: Metadata, purges: Queue, clock: Clock
) -> Deletion:
    """Make a file invisible at once, to searches too, and have everything of it removed."""
    metadata.tombstone_file(principal, collection_id, file_id, now=clock.now())
    request_purge(PurgeRequest(principal.tenant_id, collection_id, file_id), purges=purges)
    return Deletion(id=file_id)

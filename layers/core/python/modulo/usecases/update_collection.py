"""Change a collection."""

from uuid import UUID

from modulo.domain.collection import Collection, CollectionChange
from modulo.domain.identity import Principal
from modulo.ports import Clock, Metadata


def update_collection(
    principal: Principal, collection_id: UUID, change: CollectionChange, *, metadata: Metadata, clock: Clock
) -> Collection:
    """Rename a collection or change how files uploaded from now on are cut."""
    return metadata.update_collection(
        principal, collection_id, name=change.name, chunking=change.chunking, now=clock.now()
    )

"""Update a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collection import Collection, CollectionChange
    from modulo.domain.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.collections import Collections


def update_collection(
    principal: Principal, collection_id: UUID, change: CollectionChange, *, collections: Collections, clock: Clock
) -> Collection:
    """Rename or describe a collection, change its expiry, or the chunking of files uploaded from now on."""
    return collections.update_collection(
        principal,
        collection_id,
        name=change.name,
        chunking=change.chunking,
        description=change.description,
        metadata=change.metadata,
        expires_after_days=change.expires_after_days,
        now=clock.now(),
    )

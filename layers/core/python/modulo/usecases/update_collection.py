"""Update a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.usecases.create_collection import require_top_k

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collections.collection import Collection, CollectionChange
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.collections import Collections


def update_collection(
    principal: Principal,
    collection_id: UUID,
    change: CollectionChange,
    *,
    collections: Collections,
    clock: Clock,
    max_top_k: int,
) -> Collection:
    """Rename or describe a collection, change its expiry, its searches, or the chunking of files uploaded from now on.

    Raises:
        InvalidRequest: searches would return too many passages.
    """
    require_top_k(change.search_defaults, max_top_k)
    return collections.update_collection(
        principal,
        collection_id,
        name=change.name,
        chunking=change.chunking,
        description=change.description,
        metadata=change.metadata,
        expires_after_days=change.expires_after_days,
        search_defaults=change.search_defaults,
        now=clock.now(),
    )

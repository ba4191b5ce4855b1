"""Show a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collections.collection import Collection
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.collections import Collections


def get_collection(principal: Principal, collection_id: UUID, *, collections: Collections) -> Collection:
    """One collection with the number of its files in each stage."""
    return collections.get_collection(principal, collection_id)

"""Show a collection."""

from uuid import UUID

from modulo.domain.collection import Collection
from modulo.domain.identity import Principal
from modulo.ports import Metadata


def get_collection(principal: Principal, collection_id: UUID, *, metadata: Metadata) -> Collection:
    """One collection with the number of its files in each stage."""
    return metadata.get_collection(principal, collection_id)

"""Tell how far a collection's re-embedding has come."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.domain.reembedding import Reembedding
from modulo.ports import Clock, Metadata


def get_reembedding(principal: Principal, collection_id: UUID, *, metadata: Metadata, clock: Clock) -> Reembedding:
    """The collection's latest re-embedding."""
    return metadata.get_reembedding(principal, collection_id, now=clock.now())

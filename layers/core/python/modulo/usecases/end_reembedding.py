"""Give a re-embedding up or, after the switch, the way back."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.domain.reembedding import Reembedding
from modulo.ports import Clock, Metadata


def end_reembedding(principal: Principal, collection_id: UUID, *, metadata: Metadata, clock: Clock) -> Reembedding:
    """Have the index removed that searches do not see; a sweep sees to that."""
    return metadata.end_reembedding(principal, collection_id, now=clock.now())

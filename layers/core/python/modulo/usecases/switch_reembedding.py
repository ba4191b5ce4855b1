"""Have searches see the index that a re-embedding built."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.domain.reembedding import Reembedding, State, Switching
from modulo.ports import Clock, Metadata


def switch_reembedding(
    principal: Principal, collection_id: UUID, request: Switching, *, metadata: Metadata, clock: Clock
) -> Reembedding:
    """Switch from one moment to the next; the old index is kept for the way back."""
    return metadata.move_reembedding(
        principal, collection_id, State.switched, leave_out=request.leave_out, now=clock.now()
    )

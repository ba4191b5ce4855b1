"""Have searches see the index again that a re-embedding replaced."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.domain.reembedding import Reembedding, State, Switching
from modulo.ports import Clock, Metadata


def roll_back_reembedding(
    principal: Principal, collection_id: UUID, request: Switching, *, metadata: Metadata, clock: Clock
) -> Reembedding:
    """Switch back from one moment to the next; the new index is removed."""
    return metadata.move_reembedding(
        principal, collection_id, State.rolled_back, leave_out=request.leave_out, now=clock.now()
    )

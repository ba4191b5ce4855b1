"""Roll back a re-embedding: searches use the previous index again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.collections.reembedding import ReembeddingState

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collections.reembedding import Reembedding, SwitchRequest
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.reembedding import Reembeddings


def roll_back_reembedding(
    principal: Principal, collection_id: UUID, request: SwitchRequest, *, reembeddings: Reembeddings, clock: Clock
) -> Reembedding:
    """Switch back in one step; the new index is removed."""
    return reembeddings.move_reembedding(
        principal, collection_id, ReembeddingState.rolled_back, leave_out=request.leave_out, now=clock.now()
    )

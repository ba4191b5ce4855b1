"""Switch searches to the index that a re-embedding built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.collections.reembedding import ReembeddingState

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collections.reembedding import Reembedding, SwitchRequest
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.reembedding import Reembeddings


def switch_reembedding(
    principal: Principal, collection_id: UUID, request: SwitchRequest, *, reembeddings: Reembeddings, clock: Clock
) -> Reembedding:
    """Switch in one step; the old index is kept for a rollback."""
    return reembeddings.move_reembedding(
        principal, collection_id, ReembeddingState.switched, leave_out=request.leave_out, now=clock.now()
    )

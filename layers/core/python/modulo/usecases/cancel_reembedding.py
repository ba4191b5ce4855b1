"""Cancel a re-embedding; after the switch, drop the old index (rollback no longer possible)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collections.reembedding import Reembedding
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.reembedding import Reembeddings


def cancel_reembedding(
    principal: Principal, collection_id: UUID, *, reembeddings: Reembeddings, clock: Clock
) -> Reembedding:
    """Drop the index that searches do not use; a sweep removes it."""
    return reembeddings.cancel_reembedding(principal, collection_id, now=clock.now())

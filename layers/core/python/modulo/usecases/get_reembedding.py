"""Show the progress of a collection's re-embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collections.reembedding import Reembedding
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.reembedding import Reembeddings


def get_reembedding(
    principal: Principal, collection_id: UUID, *, reembeddings: Reembeddings, clock: Clock
) -> Reembedding:
    """The collection's latest re-embedding."""
    return reembeddings.get_reembedding(principal, collection_id, now=clock.now())

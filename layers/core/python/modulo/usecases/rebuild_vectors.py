"""Make the vectors of collections anew, where the vector store lost them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.operations.backup import RebuildPage
from modulo.usecases.restore_backup import queue_first

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.ports.clock import Clock
    from modulo.ports.metadata.vector_rebuilds import VectorRebuilds
    from modulo.ports.queue import Queue

PAGE = 20


def rebuild_vectors(
    after: tuple[UUID, UUID] | None = None, *, vector_rebuilds: VectorRebuilds, ingests: Queue, clock: Clock
) -> RebuildPage:
    """Have a page of living collections ingested once more from the stored objects, those behind `after`.

    Searches find a file again once it is ready; until then they find nothing of it.
    """
    page = vector_rebuilds.list_collections(after=after, limit=PAGE)
    files = 0
    for tenant_id, collection_id in page:
        queued = vector_rebuilds.rebuild_vectors(tenant_id, collection_id, now=clock.now())
        queue_first(queued, ingests)
        files += len(queued)
    return RebuildPage(collections=len(page), files=files, next=page[-1] if len(page) == PAGE else None)

"""Embedding everything anew, where the vector store lost it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.files.file import FileRef


class VectorRebuilds(Protocol):
    """Have collections ingested once more from the stored objects, for the index that searches see."""

    def list_collections(self, *, after: tuple[UUID, UUID] | None, limit: int) -> list[tuple[UUID, UUID]]:
        """Living collections of all tenants, by the ids of tenant and collection; those behind `after`."""
        ...

    def rebuild_vectors(self, tenant_id: UUID, collection_id: UUID, *, now: datetime) -> tuple[FileRef, ...]:
        """Take what searches see of a collection from them, and queue its files as if their bytes had just come.

        A re-embedding that is open ends: it is cancelled, or can no longer be rolled back. A sweep queues those of the
        generations returned that are not queued at once.
        """
        ...

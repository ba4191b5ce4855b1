"""Batches of files that are attached to a collection together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.files.file import FileProblem
    from modulo.domain.files.file_batch import BatchDraft, FileBatch
    from modulo.domain.tenancy.identity import Principal


class FileBatches(Protocol):
    """Keep which files were attached together, and why some were not."""

    def open_batch(self, principal: Principal, collection_id: UUID, draft: BatchDraft, *, now: datetime) -> None:
        """Store the batch before its files are attached; needs an editor."""
        ...

    def close_batch(
        self,
        principal: Principal,
        collection_id: UUID,
        batch_id: UUID,
        problems: Mapping[UUID, FileProblem],
        *,
        now: datetime,
    ) -> None:
        """Store that its files are attached, but for those that had a problem; needs an editor."""
        ...

    def get_batch(
        self, principal: Principal, collection_id: UUID, batch_id: UUID, *, now: datetime, fresh: bool = False
    ) -> FileBatch:
        """A batch of the collection with its entries; `fresh` reads from the writer."""
        ...

    def cancel_batch(self, principal: Principal, collection_id: UUID, batch_id: UUID, *, now: datetime) -> list[UUID]:
        """Tombstone the copies that it made and nobody has begun to read, and mark their entries; needs an editor.

        The ids of these copies. Doing it again cancels nothing more.
        """
        ...

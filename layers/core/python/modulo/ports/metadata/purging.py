"""Purges of deleted and replaced things."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.operations.purge import Purge


class Purging(Protocol):
    """What a purge has to remove from the stores, and the record that nothing is left."""

    def find_purge(self, tenant_id: UUID, collection_id: UUID, file_id: UUID | None) -> Purge | None:
        """What is to be removed of a tombstoned or partly retired file, or of a tombstoned collection.

        None of a file whose collection is tombstoned: it goes with that.
        """
        ...

    def mark_purged(self, purge: Purge, *, now: datetime) -> bool:
        """Record that nothing is left of it, and give its quota back.

        False where there is nothing to be purged (any more), or the receipt was revised since, or does not prove that
        nothing is left; then nothing changed. Where something may still arrive, it is to be purged once more when
        that time is over; only then is its receipt completed, and what the metadata say of it erased, dead letters
        included.
        """
        ...

"""Deletions and their receipts: what was removed, and the proof that nothing is left.

What was removed is the difference of two inventories: a purge records what the stores hold, deletes, and records what
they hold then. A record counts only if no other was made in between. So each decrease is counted once, however many
purges run or die. Content that arrives in between can make the sum too small, never too large.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from pydantic import Field, computed_field

from modulo.domain.model import FrozenModel

UPLOAD_GRACE = timedelta(minutes=15)
"""How long an upload may take that began just before its form expired."""

DIRECT_UPLOAD_TIMEOUT = timedelta(minutes=1)
"""How long a direct upload may take from the reservation to the stored bytes."""


class DeletionKind(StrEnum):
    """What was deleted."""

    file = "file"
    collection = "collection"
    tenant = "tenant"
    conversation = "conversation"
    user = "user"


class DeletionState(StrEnum):
    """The state of a deletion; its target is invisible in all of them."""

    requested = "requested"
    purging = "purging"
    completed = "completed"


class Inventory(FrozenModel):
    """What the stores hold of a deletion's target."""

    vectors: Mapping[str, int] = Field(default={}, description="chunks, by the vector store's collection")
    objects: int = 0
    object_bytes: int = Field(default=0, description="of all their versions")

    @property
    def nothing(self) -> bool:
        """Whether they hold nothing of it."""
        return not (any(self.vectors.values()) or self.objects or self.object_bytes)


class Removed(Inventory):
    """What was removed."""

    cached_entries: int = 0
    rows: Mapping[str, int] = Field(default={}, description="of the metadata, by table")
    storage_bytes: int = Field(default=0, description="given back to the owner's quota")

    def with_decrease(self, before: Inventory, now: Inventory) -> "Removed":
        """With the decrease from one inventory to the next."""
        decrease = {name: before.vectors[name] - now.vectors.get(name, 0) for name in before.vectors}
        return self.plus(
            Removed(
                vectors={name: number for name, number in decrease.items() if number > 0},
                objects=max(0, before.objects - now.objects),
                object_bytes=max(0, before.object_bytes - now.object_bytes),
            )
        )

    def plus(self, more: "Removed") -> "Removed":
        """The sum of both."""
        return Removed(
            vectors=_sum(self.vectors, more.vectors),
            objects=self.objects + more.objects,
            object_bytes=self.object_bytes + more.object_bytes,
            cached_entries=self.cached_entries + more.cached_entries,
            rows=_sum(self.rows, more.rows),
            storage_bytes=self.storage_bytes + more.storage_bytes,
        )


class Proof(Inventory):
    """The inventory after the removal: empty."""

    consistency: Literal["Strong"] = Field(default="Strong", description="how the vector store was read")
    checked_at: datetime


class Deletion(FrozenModel):
    """The receipt of a deletion; it holds no content and outlives its target."""

    id: UUID
    kind: DeletionKind
    target_id: UUID = Field(description="of the file, collection, tenant, user or conversation")
    collection_id: UUID | None = Field(description="the file's collection, or the collection itself")
    name: str = Field(
        description="at the time of the request; empty for a conversation, whose title tells what was asked"
    )
    requested_by: UUID | None = Field(description="absent where an operator asked")
    requested_at: datetime = Field(description="when the target became invisible")
    started_at: datetime | None = None
    open_until: datetime | None = Field(
        default=None,
        description="until then an upload form issued earlier, or an ingestion in progress, could still store "
        "something; the deletion is completed after that time, once this is removed too",
    )
    part_of: UUID | None = Field(
        default=None, description="the deletion of the collection, user or tenant that this one has become part of"
    )
    removed: Removed = Removed()
    proof: Proof | None = None
    completed_at: datetime | None = None

    @computed_field
    def state(self) -> DeletionState:
        """The state, from the times recorded."""
        if self.completed_at is not None:
            return DeletionState.completed
        return DeletionState.requested if self.started_at is None else DeletionState.purging


class DeletionRequested(FrozenModel):
    """An accepted deletion: the target is invisible from now on and purged shortly; the receipt shows the progress."""

    id: UUID
    status: Literal["deleting"] = "deleting"
    deletion_id: UUID


@dataclass(frozen=True, slots=True)
class ReceiptRevision:
    """A receipt as the last record left it; `revision` counts the records and fences off concurrent ones."""

    id: UUID
    revision: int
    removed: Removed
    inventory: Inventory

    def next(self, inventory: Inventory, *, cached: int) -> "ReceiptRevision":
        """The next revision: with the present inventory, and the number of cache entries deleted."""
        removed = self.removed.with_decrease(self.inventory, inventory).plus(Removed(cached_entries=cached))
        return replace(self, revision=self.revision + 1, removed=removed, inventory=inventory)


def deletion_id(target_id: UUID) -> UUID:
    """The id of a target's deletion; something can be deleted once."""
    return uuid5(target_id, "deletion")


def open_until(moments: Iterable[datetime | None], *, now: datetime) -> datetime | None:
    """The latest of the moments until which something may still arrive; None where all have passed."""
    return max((moment for moment in moments if moment is not None and moment > now), default=None)


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}

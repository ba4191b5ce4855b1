"""What was deleted, and the receipt that says what was removed of it and proves that nothing is left.

How much was removed is told from what the stores held before and after: whoever purges looks at the stores, records
what they hold, deletes, looks again and records that. Between two records nobody else may have recorded anything;
so every fall from one to the next is a removal, counted once, however many purges there are, and wherever they die.
What arrives in between can only make the sum smaller than the truth, never larger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from pydantic import Field, computed_field

from modulo.domain.value import Value

LATE_UPLOAD = timedelta(minutes=15)
"""How long an upload may take that began just before its form was void."""

DIRECT_UPLOAD = timedelta(minutes=1)
"""How long a direct upload may take from the reservation until its bytes are stored."""


class DeletionKind(StrEnum):
    """What was deleted."""

    file = "file"
    collection = "collection"
    tenant = "tenant"


class DeletionState(StrEnum):
    """How far a deletion has come; what it is of is invisible from the first on."""

    requested = "requested"
    purging = "purging"
    completed = "completed"


class Held(Value):
    """What the stores hold of something."""

    vectors: Mapping[str, int] = Field(default={}, description="chunks, by the vector store's collection")
    objects: int = 0
    object_bytes: int = Field(default=0, description="of all their versions")

    @property
    def nothing(self) -> bool:
        """Whether they hold nothing of it."""
        return not (any(self.vectors.values()) or self.objects or self.object_bytes)


class Removed(Held):
    """What was removed."""

    cached_entries: int = 0
    rows: Mapping[str, int] = Field(default={}, description="of the metadata, by table")
    storage_bytes: int = Field(default=0, description="given back to the owner's quota")

    def fallen(self, before: Held, now: Held) -> "Removed":
        """With what went between two records of what is held."""
        fallen = {name: before.vectors[name] - now.vectors.get(name, 0) for name in before.vectors}
        return self.plus(
            Removed(
                vectors={name: number for name, number in fallen.items() if number > 0},
                objects=max(0, before.objects - now.objects),
                object_bytes=max(0, before.object_bytes - now.object_bytes),
            )
        )

    def plus(self, more: "Removed") -> "Removed":
        """Both together."""
        return Removed(
            vectors=_sum(self.vectors, more.vectors),
            objects=self.objects + more.objects,
            object_bytes=self.object_bytes + more.object_bytes,
            cached_entries=self.cached_entries + more.cached_entries,
            rows=_sum(self.rows, more.rows),
            storage_bytes=self.storage_bytes + more.storage_bytes,
        )


class Proof(Held):
    """What the stores held at a moment behind the removal: nothing."""

    consistency: Literal["Strong"] = Field(default="Strong", description="how the vector store was read")
    checked_at: datetime


class Deletion(Value):
    """The receipt of a deletion; it holds no content and outlives what it is of."""

    id: UUID
    kind: DeletionKind
    target_id: UUID = Field(description="of the file, collection or tenant")
    collection_id: UUID | None = Field(description="the file's collection, or the collection itself")
    name: str = Field(description="at the time of the request")
    requested_by: UUID | None = Field(description="null where an operator asked")
    requested_at: datetime = Field(description="since when it is invisible")
    started_at: datetime | None = None
    open_until: datetime | None = Field(
        default=None,
        description="until then an upload form given out earlier, or an ingestion that was under way, could still "
        "bring something: what there is then is removed, and only then the deletion is completed",
    )
    part_of: UUID | None = Field(
        default=None, description="the deletion of the collection or tenant that removed it, or the rest of it"
    )
    removed: Removed = Removed()
    proof: Proof | None = None
    completed_at: datetime | None = None

    @computed_field
    def state(self) -> DeletionState:
        """How far it has come."""
        if self.completed_at is not None:
            return DeletionState.completed
        return DeletionState.requested if self.started_at is None else DeletionState.purging


class DeletionRequested(Value):
    """What is deleted: invisible from now on, removed everywhere shortly, as its receipt tells."""

    id: UUID
    status: Literal["deleting"] = "deleting"
    deletion_id: UUID


@dataclass(frozen=True, slots=True)
class Tally:
    """A receipt as the last record left it; `revision` counts the records."""

    id: UUID
    revision: int
    removed: Removed
    held: Held

    def then(self, held: Held, *, cached: int) -> "Tally":
        """The receipt with one record more: what is held now, and how many cached entries went."""
        removed = self.removed.fallen(self.held, held).plus(Removed(cached_entries=cached))
        return replace(self, revision=self.revision + 1, removed=removed, held=held)


def deletion_id(target_id: UUID) -> UUID:
    """The id of the deletion of something: it can be deleted once."""
    return uuid5(target_id, "deletion")


def still_open(moments: Iterable[datetime | None], *, now: datetime) -> datetime | None:
    """The last of the moments until which something may still come, or None where all have passed."""
    return max((moment for moment in moments if moment is not None and moment > now), default=None)


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}

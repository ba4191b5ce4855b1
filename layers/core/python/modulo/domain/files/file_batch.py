"""Batches: files that are attached to a collection together, and what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from modulo.domain.files.file import Stage
from modulo.domain.pagination import Page

if TYPE_CHECKING:
    from modulo.domain.files.attributes import AttributeValue
    from modulo.domain.files.file import FileProblem
    from modulo.domain.pagination import Window

MAX_BATCH: Final = 2_000
"""Files of a batch."""


class EntryState(StrEnum):
    """What became of a file of a batch; `cancelled` before it was read."""

    in_progress = "in_progress"
    completed = "completed"
    failed = "failed"
    cancelled = "cancelled"

    @classmethod
    def of(cls, stage: Stage) -> EntryState:
        """The state of a copy in a collection."""
        if stage.unfinished:
            return cls.in_progress
        return cls.completed if stage is Stage.ready else cls.failed


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file to attach, by the id of the user file, with the attributes that its copy gets."""

    file_id: UUID
    attributes: Mapping[str, AttributeValue] | None = None


@dataclass(frozen=True, slots=True)
class BatchDraft:
    """A batch about to be attached; what is not attached by the deadline has failed."""

    id: UUID
    file_ids: tuple[UUID, ...]
    deadline: datetime


def copy_id(batch_id: UUID, file_id: UUID) -> UUID:
    """The id of the copy that a batch makes of a user file, by which it is told from one that was there before."""
    return uuid5(batch_id, file_id.hex)


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """A file of a batch, by the id of the user file."""

    file_id: UUID
    state: EntryState
    created_at: datetime
    size_bytes: int = 0
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    problem: FileProblem | None = None


@dataclass(frozen=True, slots=True)
class FileBatch:
    """A batch with its entries, in the order in which they were given.

    A file that was taken out of the collection again is no entry any more.
    """

    id: UUID
    collection_id: UUID
    created_at: datetime
    entries: tuple[BatchEntry, ...]

    @property
    def counts(self) -> Counter[EntryState]:
        """How many entries are in each state."""
        return Counter(entry.state for entry in self.entries)

    @property
    def state(self) -> EntryState:
        """Of the whole: under way, cancelled as soon as an entry is, failed where all did, or completed."""
        counts = self.counts
        if counts[EntryState.cancelled]:
            return EntryState.cancelled
        if counts[EntryState.in_progress]:
            return EntryState.in_progress
        return EntryState.failed if counts[EntryState.failed] == counts.total() > 0 else EntryState.completed

    def page(self, window: Window, state: EntryState | None) -> Page[BatchEntry]:
        """A window of the entries; `state` keeps those in it.

        Raises:
            InvalidRequest: it begins at none of them.
        """
        ordered = self.entries if window.ascending else self.entries[::-1]
        if window.anchor is not None:
            place = next((number for number, entry in enumerate(ordered) if entry.file_id == window.anchor), None)
            if place is None:
                raise window.refusal()
            ordered = ordered[:place] if window.backwards else ordered[place + 1 :]
        found = [entry for entry in ordered if state in (None, entry.state)]
        kept = found[-window.limit :] if window.backwards else found[: window.limit]
        return Page(tuple(kept), len(found) > window.limit)

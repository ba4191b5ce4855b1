"""Re-embedding: another index of a collection is built beside the one that searches see, and takes its place.

An index is an embedding model with a chunking; a collection's are numbered from 1. One is current:
searches see it, whole. While another is open, every file that is found is in that one too, as a
generation made from the same object: first the one that is built, then, once it was switched to,
the one it replaced, until it cannot be rolled back any more.

    building ─switch→ switched ─rollback→ rolled_back
    building ─end→ cancelled; switched ─end, or its time passes→ switched, and the old index goes
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from modulo.domain.collection import Chunking, EmbeddingModel
from modulo.domain.errors import Conflict, NotFound
from modulo.domain.file import FileProblem, FileRef
from modulo.domain.value import Value

MOST_FAILURES = 100
FIRST_QUEUED = 100
"""How many files a start queues itself; a sweep queues the others."""


class State(StrEnum):
    """How far a re-embedding has come, as it is stored."""

    building = "building"
    switched = "switched"
    rolled_back = "rolled_back"
    cancelled = "cancelled"


class Phase(StrEnum):
    """How far a re-embedding has come, as its users see it."""

    building = "building"
    ready = "ready"
    failed = "failed"
    switched = "switched"
    rolled_back = "rolled_back"
    cancelled = "cancelled"


class NewReembedding(Value):
    """What to embed a collection anew with; what is null stays as it is."""

    embedding_model: str | None = Field(default=None, description="a configured model")
    chunking: Chunking | None = None
    auto_switch: bool = Field(default=True, description="switch as soon as every file is there")


class Switching(Value):
    """How to switch to the other index, or back."""

    leave_out: bool = Field(
        default=False, description="also where files are not ready there: they are not found until they are"
    )


class FailedFile(Value):
    """A file that could not be embedded anew."""

    file_id: UUID
    name: str
    problem: FileProblem


@dataclass(frozen=True, slots=True)
class ReembeddingDraft:
    """A re-embedding about to be started; no chunking is that of before.

    `keep_seconds` is how long it can be rolled back.
    """

    id: UUID
    model: EmbeddingModel
    chunking: Chunking | None
    auto_switch: bool
    keep_seconds: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of the files that searches find are in the other index, too."""

    files: int = 0
    ready: int = 0
    failed: int = 0
    pages: int = 0
    pages_done: int = 0
    chunks: int = 0

    @property
    def complete(self) -> bool:
        """Whether all are."""
        return self.ready == self.files

    def check(self, *, leave_out: bool) -> None:
        """Refuse to switch to the other index while files would be lost.

        Raises:
            Conflict: some are not in it, and are not to be left out.
        """
        if self.complete or leave_out:
            return
        left = self.files - self.ready - self.failed
        raise Conflict(
            f"{left} files are still being embedded and {self.failed} failed:"
            " wait, delete them, or have them left out with leave_out.",
        )


class Reembedding(Value):
    """A collection's latest re-embedding.

    The counts are of the files that searches find, as far as they are in the index that searches do not
    see: the one that is built or, after the switch, the old one. They are null once that is given up.
    """

    collection_id: UUID
    state: Phase
    embedding_model: str
    chunking: Chunking
    auto_switch: bool
    files_total: int | None = None
    files_done: int | None = None
    pages_total: int | None = None
    pages_done: int | None = None
    chunks: int | None = Field(default=None, description="embedded so far")
    failures: Annotated[tuple[FailedFile, ...], Field(description="the first 100")] = ()
    started_at: datetime
    estimated_ready_at: datetime | None = Field(
        default=None, description="when it will be built, if it goes on as so far; null until that can be told"
    )
    switched_at: datetime | None = None
    rollback_until: datetime | None = Field(default=None, description="null where there is no way back")
    ended_at: datetime | None = Field(default=None, description="when the index was given up that searches do not see")


@dataclass(frozen=True, slots=True)
class Started:
    """A re-embedding, with the first generations to be queued."""

    reembedding: Reembedding
    queue: tuple[FileRef, ...]


def phase(state: State, tally: Tally) -> Phase:
    """What users are told."""
    if state is not State.building:
        return Phase(state.value)
    if tally.ready + tally.failed < tally.files:
        return Phase.building
    return Phase.ready if tally.complete else Phase.failed


def counted(tally: Tally, *, state: State, started_at: datetime, now: datetime) -> dict[str, object]:
    """What an open re-embedding tells of its files."""
    going_on = phase(state, tally) is Phase.building and tally.pages_done > 0
    left = max(0, tally.pages - tally.pages_done)
    return {
        "files_total": tally.files,
        "files_done": tally.ready,
        "pages_total": tally.pages,
        "pages_done": tally.pages_done,
        "chunks": tally.chunks,
        "estimated_ready_at": now + (now - started_at) * left / tally.pages_done if going_on else None,
    }


def under_way() -> Conflict:
    """The problem of a collection with a re-embedding that has not ended."""
    return Conflict(
        "The collection is being embedded anew, or can still be rolled back: end that first, by DELETE.",
    )


def never() -> NotFound:
    """The problem of a collection that is as it was made."""
    return NotFound("The collection was never embedded anew.")


def not_in(state: State) -> Conflict:
    """The problem of a move for which it is too early or too late."""
    return Conflict(f"Only a re-embedding that is {state.value.replace('_', ' ')}, and has not ended, can do this.")

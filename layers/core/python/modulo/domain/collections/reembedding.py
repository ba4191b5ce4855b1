"""Re-embedding: a second index of a collection is built beside the one that searches use, and replaces it.

An index has an embedding model and a chunking; a collection's are numbered from 1. Searches use one, the current
index. A re-embedding keeps a second one open: until the switch the one that is built, afterwards the one that was
replaced, as long as it can be rolled back. While it is open, every live file has a generation in both, made from the
same object.

    building ─switch→ switched ─rollback→ rolled_back
    building ─cancel→ cancelled; switched ─cancel, or its time passes→ switched, and the old index is dropped
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from modulo.domain.collections.collection import Chunking, EmbeddingModel
from modulo.domain.errors import Conflict, NotFound
from modulo.domain.files.file import FileProblem, FileRef
from modulo.domain.model import FrozenModel
from modulo.domain.request_model import RequestModel

MAX_LISTED_FAILURES = 100
MAX_QUEUED_AT_START = 100
"""How many files `start_reembedding` queues; a sweep queues the others."""


class ReembeddingState(StrEnum):
    """The state of a re-embedding, as it is stored."""

    building = "building"
    switched = "switched"
    rolled_back = "rolled_back"
    cancelled = "cancelled"


class Phase(StrEnum):
    """The state of a re-embedding as users see it: with the progress of its files."""

    building = "building"
    ready = "ready"
    failed = "failed"
    switched = "switched"
    rolled_back = "rolled_back"
    cancelled = "cancelled"


class NewReembedding(RequestModel):
    """What to re-embed a collection with; null fields stay as they are."""

    embedding_model: str | None = Field(default=None, description="a configured model")
    chunking: Chunking | None = None
    auto_switch: bool = Field(default=True, description="switch as soon as every file is ready")


class OwnedCollection(FrozenModel):
    """A collection and its owner, who alone may re-embed it."""

    id: UUID
    owner_id: UUID


class SwitchRequest(RequestModel):
    """Options of a switch or a rollback."""

    leave_out: bool = Field(
        default=False,
        description="switch even if files are not ready in the other index; searches miss them until they are",
    )


class FailedFile(FrozenModel):
    """A file whose re-embedding failed."""

    file_id: UUID
    name: str
    problem: FileProblem


@dataclass(frozen=True, slots=True)
class ReembeddingDraft:
    """A re-embedding about to be started; `chunking` is None where it stays.

    `keep_seconds` is how long it can be rolled back.
    """

    id: UUID
    model: EmbeddingModel
    chunking: Chunking | None
    auto_switch: bool
    keep_seconds: int


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How many of the live files are in the other index."""

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
        """Require that a switch leaves no file out, unless that is asked for.

        Raises:
            Conflict: some files are not ready in the other index.
        """
        if self.complete or leave_out:
            return
        left = self.files - self.ready - self.failed
        raise Conflict(
            f"{left} files are still being embedded and {self.failed} failed:"
            " wait, delete them, or leave them out with leave_out.",
        )


class Reembedding(FrozenModel):
    """A collection's latest re-embedding.

    The counts are of the live files in the index that searches do not use: the one that is built or, after the
    switch, the old one. They are null once that index is dropped.
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
        default=None, description="when it will be built, at the present pace; null until that can be estimated"
    )
    switched_at: datetime | None = None
    rollback_until: datetime | None = Field(default=None, description="absent where no rollback is possible")
    ended_at: datetime | None = Field(default=None, description="when the index that searches do not use was dropped")


@dataclass(frozen=True, slots=True)
class StartedReembedding:
    """A re-embedding, with the first generations to queue."""

    reembedding: Reembedding
    queue: tuple[FileRef, ...]


def phase(state: ReembeddingState, tally: IndexProgress) -> Phase:
    """The phase that users see."""
    if state is not ReembeddingState.building:
        return Phase(state.value)
    if tally.ready + tally.failed < tally.files:
        return Phase.building
    return Phase.ready if tally.complete else Phase.failed


def progress_fields(
    tally: IndexProgress, *, state: ReembeddingState, started_at: datetime, now: datetime
) -> dict[str, object]:
    """The progress fields of a `Reembedding`."""
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


def already_open() -> Conflict:
    """The error where another re-embedding is open."""
    return Conflict(
        "A re-embedding is in progress or can still be rolled back: cancel it first, by DELETE.",
    )


def never_started() -> NotFound:
    """The error where there was no re-embedding."""
    return NotFound("The collection was never re-embedded.")


def wrong_state(state: ReembeddingState) -> Conflict:
    """The error of a switch, rollback or cancellation that the state does not allow."""
    return Conflict(f"Only a re-embedding that is {state.value.replace('_', ' ')}, and has not ended, allows this.")

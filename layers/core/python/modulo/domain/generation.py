"""The life of a generation: when each move is allowed, and what it changes.

    awaiting_upload, queued ─claim→ parsing → embedding → indexing ─publish→ ready
    parsing, embedding, indexing ─release, stall→ queued; ─claim, once the lease has run out→ parsing
    parsing, embedding, indexing ─fail→ failed; awaiting_upload, queued and these ─deadline→ failed
    failed, for a reason that may pass, within a day ─claim→ parsing; asked for by somebody, its attempts count anew
    any ─delete→ deleting ─purge→ deleted

Who works on a generation holds its claim: a token that every further move of theirs must still find there,
so that what comes late, twice or from a worker that was thought dead changes nothing. A move is one
conditional update. The adapter in memory asks the functions here; the one on Postgres says the same in SQL,
and one set of tests holds both to it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from modulo.domain.errors import DeadlineExceeded, NeverUploaded, Superseded
from modulo.domain.file import UNFINISHED, WAITING, WORKING, FileProblem, Stage

PURGE_AFTER = timedelta(minutes=1)
"""How long a sweep leaves a purge to the message that the deletion itself sent."""

ASK_AGAIN_AFTER = timedelta(minutes=10)
"""How long a sweep waits before it names the same purge or the same stalled generation again."""

RETRY_WINDOW = timedelta(days=1)
"""How long a failed generation keeps its object for another try."""

TWIN_WAIT = timedelta(days=7)
"""How long a generation that embeds another's bytes anew may wait for its first claim, which sets its deadline."""

NEVER_UPLOADED = FileProblem.of(NeverUploaded())
SUPERSEDED = FileProblem.of(Superseded())
DEADLINE_EXCEEDED = FileProblem.of(DeadlineExceeded())

FORGOTTEN: Mapping[str, Any] = {
    "stage": Stage.deleted,
    "claim_token": None,
    "lease_until": None,
    "purge_after": None,
    "checksum_sha256": None,
    "content_hash": None,
    "source_url": None,
    "etag": None,
    "last_modified": None,
    "problem": None,
}
"""What a deleted generation is left with, once nothing is left of it, besides an empty document."""

Changes = Mapping[str, Any]
"""New values of a generation's fields, by name."""


class Generation(Protocol):
    """What decides on a generation's moves."""

    stage: Stage
    claim_token: UUID | None
    lease_until: datetime | None
    deadline: datetime
    attempt: int
    divided: bool
    pages_done: int
    started_at: datetime | None
    problem: FileProblem | None
    retired_at: datetime | None


class StretchOfWork(Protocol):
    """What decides on the moves of a part of a divided generation."""

    claim_token: UUID | None
    lease_until: datetime | None

    @property
    def done(self) -> bool:
        """Whether it is ingested."""
        ...


def lapsed(leased: Generation | StretchOfWork, now: datetime) -> bool:
    """Whether its lease has run out."""
    return leased.lease_until is not None and leased.lease_until <= now


def free(generation: Generation, now: datetime) -> bool:
    """Whether a generation may be claimed that has not ended."""
    return generation.stage in WAITING or (generation.stage in WORKING and lapsed(generation, now))


def failed_for_now(generation: Generation) -> bool:
    """Whether a generation failed for a reason that may pass, and its object is still there."""
    passing = generation.problem is not None and generation.problem.retryable
    return generation.stage is Stage.failed and passing and generation.retired_at is None


def free_part(part: StretchOfWork, now: datetime) -> bool:
    """Whether a part may be claimed."""
    return not part.done and (part.claim_token is None or lapsed(part, now))


def overdue(generation: Generation, now: datetime) -> bool:
    """Whether a generation has to end: its deadline has passed."""
    return generation.stage in UNFINISHED and generation.deadline <= now


def stalled(generation: Generation, now: datetime) -> bool:
    """Whether nobody works on a generation any more that still has time."""
    return generation.stage in UNFINISHED and generation.deadline > now and lapsed(generation, now)


def claimed(
    generation: Generation, *, token: UUID, now: datetime, lease_until: datetime, deadline: datetime
) -> Changes:
    """A claim; the first one sets the deadline, as does one behind a failure."""
    anew = failed_for_now(generation)
    divided = generation.divided and not anew
    return {
        "stage": Stage.parsing,
        "claim_token": token,
        "lease_until": lease_until,
        "deadline": deadline if anew or generation.attempt == 0 else generation.deadline,
        "attempt": generation.attempt + 1,
        "divided": divided,
        "pages_done": generation.pages_done if divided else 0,
        "started_at": generation.started_at if divided else now,
        "updated_at": now,
    } | dict(REVIVED if anew else {})


REVIVED: Changes = {"problem": None, "purge_after": None, "divided": False}
"""What a failed generation loses when it is claimed again."""


def ended(stage: Stage, now: datetime) -> dict[str, Any]:
    """The end of a claim: by release (queued), publication (ready) or failure."""
    return {"stage": stage, "claim_token": None, "lease_until": None, "updated_at": now}


def released(generation: Generation, now: datetime) -> dict[str, Any]:
    """What giving a claim up does: the queue delivers again; where that message named a part, the sweep sends one."""
    return ended(Stage.queued, now) | {"lease_until": now if generation.divided else None}


def failed(problem: FileProblem, now: datetime) -> dict[str, Any]:
    """A failure, besides its `problem`; the object is kept only where a retry can help."""
    return ended(Stage.failed, now) | {
        "charged": False,
        "retired_at": None if problem.retryable else now,
        "purge_after": now + (RETRY_WINDOW if problem.retryable else PURGE_AFTER),
    }


def twin(index: int, now: datetime) -> dict[str, Any]:
    """What is new of a generation that embeds another's bytes anew, for the index: a sweep queues it."""
    return {
        "index_number": index,
        "stage": Stage.queued,
        "charged": False,
        "deadline": now + TWIN_WAIT,
        "lease_until": now,
        "created_at": now,
        "updated_at": now,
    }


def requeued(now: datetime) -> dict[str, Any]:
    """What a sweep does to a stalled generation; the lease is when it is named again."""
    return ended(Stage.queued, now) | {"lease_until": now + ASK_AGAIN_AFTER}

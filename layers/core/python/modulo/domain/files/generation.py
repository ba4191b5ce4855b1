"""The life cycle of a generation: when each transition is allowed, and what it changes.

    awaiting_upload, queued ─claim→ parsing → embedding → indexing ─publish→ ready
    parsing, embedding, indexing ─release, stall→ queued; ─claim, once the lease has run out→ parsing
    parsing, embedding, indexing ─fail→ failed; awaiting_upload, queued and these ─deadline→ failed
    failed, with a retryable problem, within a day ─claim→ parsing; a user's retry resets its attempts
    failed, with a retryable problem, before its bytes came from its URL ─a user's retry→ awaiting_upload
    any ─delete→ deleting ─purge→ deleted

A worker holds the claim of the generation that it works on. Each of its transitions must find the claim's token
unchanged; so what comes late, twice or from a worker that was thought dead changes nothing. A transition is one
conditional update.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from modulo.domain.errors import DeadlineExceeded, NeverUploaded, Superseded
from modulo.domain.files.file import FileProblem, Stage

PURGE_AFTER = timedelta(minutes=1)
"""How long a sweep waits before it queues a purge that the deletion itself has queued."""

UNCLAIMED_AFTER = timedelta(minutes=1)
"""How long a generation may wait for its first claim while the queues are empty, before its message counts as lost."""

REPEAT_AFTER = timedelta(minutes=10)
"""How long a sweep waits before it queues the same purge or stalled generation again."""

RETRY_WINDOW = timedelta(days=1)
"""How long a failed generation keeps its object for a retry."""

REINDEX_WAIT = timedelta(days=7)
"""How long a re-embedding generation may wait for its first claim, which sets its deadline."""

NEVER_UPLOADED = FileProblem.of(NeverUploaded())
SUPERSEDED = FileProblem.of(Superseded())
DEADLINE_EXCEEDED = FileProblem.of(DeadlineExceeded())

ERASED: Mapping[str, Any] = {
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
"""The fields of a purged generation, besides an empty document."""

Changes = Mapping[str, Any]
"""New values of a generation's fields, by name."""

RECLAIMED: Changes = {"problem": None, "purge_after": None, "divided": False}
"""The fields that a claim of a failed generation resets."""

REFETCHED: Changes = {
    "stage": Stage.awaiting_upload,
    "attempt": 0,
    "size_bytes": 0,
    "checksum_sha256": None,
    "etag": None,
    "last_modified": None,
    "charged": True,
    "problem": None,
    "next_attempt_at": None,
    "purge_after": None,
}
"""The fields that a retry resets of a failed generation whose bytes were never fetched, besides its deadline."""


def changes_on_end(stage: Stage, now: datetime) -> dict[str, Any]:
    """The end of a claim: by release (queued), publication (ready) or failure."""
    return {"stage": stage, "claim_token": None, "lease_until": None, "updated_at": now}


def changes_on_failure(problem: FileProblem, now: datetime) -> dict[str, Any]:
    """A failure, besides its `problem`; the object is kept only where a retry can help."""
    return changes_on_end(Stage.failed, now) | {
        "charged": False,
        "retired_at": None if problem.retryable else now,
        "purge_after": now + (RETRY_WINDOW if problem.retryable else PURGE_AFTER),
    }


def changes_on_reindex(index: int, now: datetime) -> dict[str, Any]:
    """The fields of a new generation that re-embeds another's bytes for this index; a sweep queues it."""
    return {
        "index_number": index,
        "stage": Stage.queued,
        "charged": False,
        "deadline": now + REINDEX_WAIT,
        "lease_until": now,
        "created_at": now,
        "updated_at": now,
    }


def changes_on_requeue(now: datetime) -> dict[str, Any]:
    """A sweep's requeueing of a stalled generation; the lease says when the sweep may queue it again."""
    return changes_on_end(Stage.queued, now) | {"lease_until": now + REPEAT_AFTER}

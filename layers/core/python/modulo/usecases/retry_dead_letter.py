"""Retry a dead letter."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from modulo.domain.errors import Conflict, NotFound
from modulo.domain.operations.dead_letter import (
    FUNCTIONS,
    DeadLetterQuery,
    DeadLetterState,
)
from modulo.domain.operations.messages import FetchRequest, IngestRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from modulo.domain.operations.dead_letter import (
        DeadLetter,
        OperatorDeadLetter,
        Request,
    )
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.dead_letters import DeadLetters
    from modulo.ports.metadata.fetching import Fetching
    from modulo.ports.metadata.ingestion import Ingestion
    from modulo.ports.queue import Queue


@dataclass(frozen=True, slots=True)
class ResendPorts:
    """What queues a dead letter's request again; `queues` holds each function's queue, by the function's name.

    A file that is fetched again fails `deadline_seconds` later.
    """

    ingestion: Ingestion
    fetching: Fetching
    queues: Mapping[str, Queue]
    clock: Clock
    deadline_seconds: int


def retry_dead_letter(
    principal: Principal,
    collection_id: UUID,
    letter_id: UUID,
    *,
    dead_letters: DeadLetters,
    ports: ResendPorts,
) -> DeadLetter:
    """Queue the message of a dead letter again; doing so twice does no harm.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such dead letter is visible to the caller.
        Conflict: nothing is left to do for it.
    """
    dead_letter = find_dead_letter(principal, collection_id, letter_id, dead_letters=dead_letters)
    require_open(dead_letter)
    resend(dead_letter.request(principal.tenant_id, collection_id), ports)
    now = ports.clock.now()
    dead_letters.mark_retried(principal.tenant_id, [dead_letter.id], now=now)
    return marked_retried(dead_letter, now)


def find_dead_letter(
    principal: Principal, collection_id: UUID, letter_id: UUID, *, dead_letters: DeadLetters
) -> DeadLetter:
    """One dead letter of a collection.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such dead letter is visible to the caller.
    """
    found = dead_letters.list_dead_letters(principal, collection_id, DeadLetterQuery(1, letter_id=letter_id))
    if not found.items:
        raise NotFound
    return found.items[0]


def require_open(dead_letter: DeadLetter) -> None:
    """Refuse a closed dead letter.

    Raises:
        Conflict: nothing is left to do for it.
    """
    if dead_letter.state is DeadLetterState.closed:
        raise Conflict(
            "Nothing is left to do for this dead letter: its file is ready, replaced, deleted or failed for good."
        )


def resend(request: Request, ports: ResendPorts) -> None:
    """Queue a request with all its attempts."""
    now = ports.clock.now()
    if isinstance(request, IngestRequest):
        ports.ingestion.reset_attempts(request.ref)
    elif isinstance(request, FetchRequest):
        deadline = now + timedelta(seconds=ports.deadline_seconds)
        ports.fetching.restart_fetch(request.ref, deadline=deadline, now=now)
    ports.queues[FUNCTIONS[type(request)]].send(request.body())


def marked_retried(dead_letter: DeadLetter, now: datetime) -> DeadLetter:
    """The dead letter as it is after the retry."""
    return dead_letter.model_copy(update={"state": DeadLetterState.retried, "retried_at": now})


def retry_for_operator(dead_letter: OperatorDeadLetter, *, dead_letters: DeadLetters, ports: ResendPorts) -> None:
    """Queue any dead letter again, for the operator; an unreadable message is queued as it was received.

    Raises:
        Conflict: nothing is left to do for it, or it never can be read.
    """
    require_open(dead_letter)
    if dead_letter.tenant_id is not None and dead_letter.collection_id is not None:
        resend(dead_letter.request(dead_letter.tenant_id, dead_letter.collection_id), ports)
    else:
        queue, body = ports.queues.get(dead_letter.function or ""), _json_object(dead_letter.body)
        if queue is None or body is None:
            raise Conflict("This message can never be read: discard it.")
        queue.send(body)
    dead_letters.mark_retried(dead_letter.tenant_id, [dead_letter.id], now=ports.clock.now())


def _json_object(text: str) -> Mapping[str, object] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None

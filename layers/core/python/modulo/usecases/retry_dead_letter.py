"""Deliver what was given up once more."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from modulo.domain.errors import Conflict, NotFound
from modulo.domain.identity import Principal
from modulo.domain.letter import FUNCTIONS, BuriedLetter, DeadLetter, LetterPage, LetterState, Request
from modulo.domain.transfer import IngestRequest
from modulo.ports import Clock, Metadata, Queue


def retry_dead_letter(
    principal: Principal,
    collection_id: UUID,
    letter_id: UUID,
    *,
    metadata: Metadata,
    queues: Mapping[str, Queue],
    clock: Clock,
) -> DeadLetter:
    """Queue the request of a letter again; asking twice does no harm.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such letter is visible to the caller.
        Conflict: nothing is left to do for it.
    """
    letter = letter_of(principal, collection_id, letter_id, metadata=metadata)
    refuse_closed(letter)
    resend(letter.request(principal.tenant_id, collection_id), metadata=metadata, queues=queues)
    now = clock.now()
    metadata.mark_retried(principal.tenant_id, [letter.id], now=now)
    return retried(letter, now)


def letter_of(principal: Principal, collection_id: UUID, letter_id: UUID, *, metadata: Metadata) -> DeadLetter:
    """One letter of a collection.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such letter is visible to the caller.
    """
    found = metadata.list_letters(principal, collection_id, LetterPage(1, letter_id=letter_id))
    if not found.items:
        raise NotFound
    return found.items[0]


def refuse_closed(letter: DeadLetter) -> None:
    """Refuse a letter for which nothing is left to do.

    Raises:
        Conflict: it is such a letter.
    """
    if letter.state is LetterState.closed:
        raise Conflict(
            "Nothing is left to do for this letter: its file is ready, replaced, deleted or failed for good."
        )


def resend(request: Request, *, metadata: Metadata, queues: Mapping[str, Queue]) -> None:
    """Queue a request again, with all its attempts; the queues are named after the functions that they feed."""
    if isinstance(request, IngestRequest):
        metadata.count_anew(request.ref)
    queues[FUNCTIONS[type(request)]].send(request.body())


def retried(letter: DeadLetter, now: datetime) -> DeadLetter:
    """The letter, as it is once it was retried."""
    return letter.model_copy(update={"state": LetterState.retried, "retried_at": now})


def retry_buried_letter(letter: BuriedLetter, *, metadata: Metadata, queues: Mapping[str, Queue], clock: Clock) -> None:
    """Queue a letter again for the operator; one that could not be read as it was sent, for code that can by now.

    Raises:
        Conflict: nothing is left to do for it, or it never can be read.
    """
    refuse_closed(letter)
    if letter.tenant_id is not None and letter.collection_id is not None:
        resend(letter.request(letter.tenant_id, letter.collection_id), metadata=metadata, queues=queues)
    else:
        queue, body = queues.get(letter.function or ""), _json_object(letter.body)
        if queue is None or body is None:
            raise Conflict("This message can never be read: discard it.")
        queue.send(body)
    metadata.mark_retried(letter.tenant_id, [letter.id], now=clock.now())


def _json_object(text: str) -> Mapping[str, object] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None

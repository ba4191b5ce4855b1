"""Retry the dead letters of a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.operations.dead_letter import DeadLetter, DeadLetterQuery, DeadLetterState
from modulo.domain.pagination import Cursor, Listing
from modulo.usecases.retry_dead_letter import marked_retried, resend

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.dead_letters import DeadLetters
    from modulo.usecases.retry_dead_letter import ResendPorts


def retry_dead_letters(
    principal: Principal,
    collection_id: UUID,
    *,
    after: str | None,
    limit: int,
    dead_letters: DeadLetters,
    ports: ResendPorts,
) -> Listing[DeadLetter]:
    """Queue the messages of those on one page of the waiting dead letters that a retry can help.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such collection is visible to the caller.
    """
    cursor = Cursor.decode(after) if after is not None else None
    page = dead_letters.list_dead_letters(
        principal, collection_id, DeadLetterQuery(limit, cursor, DeadLetterState.waiting)
    )
    retryable = [dead_letter for dead_letter in page.items if dead_letter.problem.retryable]
    for dead_letter in retryable:
        resend(dead_letter.request(principal.tenant_id, collection_id), ports)
    now = ports.clock.now()
    dead_letters.mark_retried(principal.tenant_id, [dead_letter.id for dead_letter in retryable], now=now)
    return Listing[DeadLetter](
        items=tuple(marked_retried(dead_letter, now) for dead_letter in retryable), next=page.next
    )

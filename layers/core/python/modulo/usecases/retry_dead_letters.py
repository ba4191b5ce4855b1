"""Deliver all of a collection that was given up once more."""

from collections.abc import Mapping
from uuid import UUID

from modulo.domain.identity import Principal
from modulo.domain.letter import DeadLetter, LetterPage, LetterState
from modulo.domain.transfer import Cursor
from modulo.domain.value import Listing
from modulo.ports import Clock, Metadata, Queue
from modulo.usecases.retry_dead_letter import resend, retried


def retry_dead_letters(
    principal: Principal,
    collection_id: UUID,
    *,
    after: str | None,
    limit: int,
    metadata: Metadata,
    queues: Mapping[str, Queue],
    clock: Clock,
) -> Listing[DeadLetter]:
    """Look at one page of the waiting letters and queue the requests of those that a retry can help.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such collection is visible to the caller.
    """
    cursor = Cursor.decode(after) if after else None
    page = metadata.list_letters(principal, collection_id, LetterPage(limit, cursor, LetterState.waiting))
    helped = [letter for letter in page.items if letter.problem.retryable]
    for letter in helped:
        resend(letter.request(principal.tenant_id, collection_id), metadata=metadata, queues=queues)
    now = clock.now()
    metadata.mark_retried(principal.tenant_id, [letter.id for letter in helped], now=now)
    return Listing[DeadLetter](items=tuple(retried(letter, now) for letter in helped), next=page.next)

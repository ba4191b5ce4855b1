"""Dead letters of all tenants, and unreadable ones of no tenant: list, retry and discard them."""

from collections.abc import Iterator
from itertools import groupby
from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.domain.operations.dead_letter import DeadLetterQuery, DeadLetterState, OperatorDeadLetter
from modulo.domain.pagination import Cursor, Listing
from modulo.services import services
from modulo.usecases.retry_dead_letter import ResendPorts, retry_for_operator

PAGE = 100


def list_letters(state: DeadLetterState | None = None, after: str | None = None) -> Listing[OperatorDeadLetter]:
    """A page of dead letters, newest first, behind the `next` of the page before."""
    query = DeadLetterQuery(PAGE, Cursor.decode(after) if after else None, state)
    return services().dead_letters.list_all_dead_letters(query)


def retry(letter_id: UUID | None = None) -> int:
    """Send one dead letter's message again, or those of all waiting ones that a retry can help; the number sent.

    Raises:
        NotFound: the dead letter does not exist.
        Conflict: its work is already done, or its message is unreadable.
    """
    s = services()
    if letter_id is not None:
        found = [_letter(letter_id)]
    else:
        found = [
            letter for letter in _letters(DeadLetterState.waiting) if letter.problem.retryable and letter.tenant_id
        ]
    ports = ResendPorts(
        ingestion=s.ingestion,
        fetching=s.fetching,
        queues={"ingest_file": s.ingests, "fetch_url": s.fetches, "purge": s.purges},
        clock=s.clock,
        deadline_seconds=s.settings.ingest_deadline_seconds,
    )
    for letter in found:
        retry_for_operator(letter, dead_letters=s.dead_letters, ports=ports)
    return len(found)


def discard(letter_id: UUID | None = None, state: DeadLetterState | None = None) -> int:
    """Delete one dead letter, or all, or all in a state; the number deleted.

    Raises:
        NotFound: the dead letter does not exist.
    """
    found = [_letter(letter_id)] if letter_id else list(_letters(state))
    by_tenant = groupby(sorted(found, key=lambda letter: str(letter.tenant_id)), key=lambda letter: letter.tenant_id)
    dead_letters = services().dead_letters
    return sum(
        dead_letters.discard_dead_letters(tenant_id, [letter.id for letter in some]) for tenant_id, some in by_tenant
    )


def _letter(letter_id: UUID) -> OperatorDeadLetter:
    found = services().dead_letters.list_all_dead_letters(DeadLetterQuery(1, letter_id=letter_id)).items
    if not found:
        raise NotFound("There is no such letter.")
    return found[0]


def _letters(state: DeadLetterState | None) -> Iterator[OperatorDeadLetter]:
    after: str | None = None
    while True:
        page = list_letters(state, after)
        yield from page.items
        after = page.next
        if after is None:
            return

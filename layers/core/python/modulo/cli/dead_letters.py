"""`modulo dead-letters`: what was given up, of every tenant and of nobody, for the operator."""

from collections.abc import Iterator
from itertools import groupby
from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.domain.letter import BuriedLetter, LetterPage, LetterState
from modulo.domain.transfer import Cursor
from modulo.services import services
from modulo.usecases.retry_dead_letter import retry_buried_letter

PAGE = 100
SHOWN = 100
"""Characters of a message that nobody can read."""


def print_letters(state: str | None) -> None:
    """Print a line for each letter, newest first."""
    for letter in _letters(LetterState(state) if state else None):
        print(_line(letter))


def retry(letter_id: UUID | None) -> int:
    """Send a letter's message again, or those of all that wait and that a retry can help; how many.

    Raises:
        NotFound: there is no such letter.
        Conflict: nothing is left to do for it, or it can never be read.
    """
    s = services()
    if letter_id is not None:
        found = [_letter(letter_id)]
    else:
        found = [letter for letter in _letters(LetterState.waiting) if letter.problem.retryable and letter.tenant_id]
    queues = {"ingest_file": s.ingests, "fetch_url": s.fetches, "purge": s.purges}
    for letter in found:
        retry_buried_letter(letter, metadata=s.metadata, queues=queues, clock=s.clock)
    return len(found)


def discard(letter_id: UUID | None, state: str | None) -> int:
    """Forget a letter, or all (in a state); how many.

    Raises:
        NotFound: there is no such letter.
    """
    found = [_letter(letter_id)] if letter_id else list(_letters(LetterState(state) if state else None))
    by_tenant = groupby(sorted(found, key=lambda letter: str(letter.tenant_id)), key=lambda letter: letter.tenant_id)
    metadata = services().metadata
    return sum(metadata.discard_letters(tenant_id, [letter.id for letter in some]) for tenant_id, some in by_tenant)


def _letter(letter_id: UUID) -> BuriedLetter:
    found = services().metadata.buried_letters(LetterPage(1, letter_id=letter_id)).items
    if not found:
        raise NotFound("There is no such letter.")
    return found[0]


def _letters(state: LetterState | None) -> Iterator[BuriedLetter]:
    after: Cursor | None = None
    while True:
        page = services().metadata.buried_letters(LetterPage(PAGE, after, state))
        yield from page.items
        if page.next is None:
            return
        after = Cursor.decode(page.next)


def _line(letter: BuriedLetter) -> str:
    about = "/".join(
        str(part)
        for part in (letter.tenant_id, letter.collection_id, letter.file_id, letter.generation, letter.part)
        if part is not None
    )
    when, function = f"{letter.buried_at:%Y-%m-%d %H:%M}", letter.function or "-"
    said = about or " ".join(letter.body[:SHOWN].split())
    return f"{letter.id}  {when}  {letter.state:7}  {function:11}  {letter.problem.code}  {said}"

"""List the dead letters of a collection."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.domain.letter import DeadLetter, LetterPage, LetterState
from modulo.domain.transfer import Cursor
from modulo.domain.value import Listing
from modulo.ports import Metadata


def list_dead_letters(
    principal: Principal,
    collection_id: UUID,
    *,
    after: str | None,
    limit: int,
    state: LetterState | None,
    metadata: Metadata,
) -> Listing[DeadLetter]:
    """A page of a collection's dead letters, newest first; `state` keeps those in that state.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such collection is visible to the caller.
    """
    cursor = Cursor.decode(after) if after else None
    return metadata.list_letters(principal, collection_id, LetterPage(limit, cursor, state))

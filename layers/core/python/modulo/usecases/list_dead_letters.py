"""List the dead letters of a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.operations.dead_letter import DeadLetterQuery
from modulo.domain.pagination import Cursor

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.operations.dead_letter import DeadLetter, DeadLetterState
    from modulo.domain.pagination import Listing
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.dead_letters import DeadLetters


def list_dead_letters(
    principal: Principal,
    collection_id: UUID,
    *,
    after: str | None,
    limit: int,
    state: DeadLetterState | None,
    dead_letters: DeadLetters,
) -> Listing[DeadLetter]:
    """A page of a collection's dead letters, newest first; `state` filters them.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such collection is visible to the caller.
    """
    cursor = Cursor.decode(after) if after is not None else None
    return dead_letters.list_dead_letters(principal, collection_id, DeadLetterQuery(limit, cursor, state))

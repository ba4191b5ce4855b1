"""List the caller's conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.pagination import Cursor

if TYPE_CHECKING:
    from modulo.domain.conversations.conversation import Conversation
    from modulo.domain.pagination import Listing
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversations import Conversations


def list_conversations(
    principal: Principal, *, after: str | None, limit: int, archived: bool | None, conversations: Conversations
) -> Listing[Conversation]:
    """One page, the last used first; with `archived`, only those that are or are not.

    Raises:
        InvalidRequest: `after` is no cursor that a listing returned.
    """
    cursor = Cursor.decode(after) if after is not None else None
    return conversations.list_conversations(principal, after=cursor, limit=limit, archived=archived)

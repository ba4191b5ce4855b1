"""List the messages of a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.conversations.conversation import Message
from modulo.domain.pagination import Listing

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversation_messages import ConversationMessages


def list_messages(
    principal: Principal,
    conversation_id: UUID,
    *,
    after: UUID | None,
    limit: int,
    newest_first: bool,
    messages: ConversationMessages,
) -> Listing[Message]:
    """One page, oldest first unless said otherwise; `after` is the id of the last message of the page before.

    Raises:
        NotFound: the caller has no such conversation, or it has no such message.
    """
    page = messages.list_messages(principal, conversation_id, after=after, limit=limit, newest_first=newest_first)
    items = tuple(stored.message for stored in page.items)
    return Listing[Message](items=items, next=str(items[-1].id) if page.more else None)

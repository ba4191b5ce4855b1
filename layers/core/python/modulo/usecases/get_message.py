"""Show a message of a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.conversations.conversation import StoredMessage
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversation_messages import ConversationMessages


def get_message(
    principal: Principal, conversation_id: UUID, message_id: UUID, *, messages: ConversationMessages
) -> StoredMessage:
    """One of them.

    Raises:
        NotFound: the caller has no such conversation, or it has no such message.
    """
    stored = messages.get_message(principal, message_id)
    if stored.message.conversation_id != conversation_id:
        raise NotFound
    return stored

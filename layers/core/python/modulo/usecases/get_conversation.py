"""Show a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.conversations.conversation import Conversation
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversations import Conversations


def get_conversation(principal: Principal, conversation_id: UUID, *, conversations: Conversations) -> Conversation:
    """One of the caller's.

    Raises:
        NotFound: the caller has no such conversation.
    """
    return conversations.get_conversation(principal, conversation_id)

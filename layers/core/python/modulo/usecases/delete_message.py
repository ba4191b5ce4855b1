"""Delete a message of a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.conversations.conversation import Conversation
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.conversation_messages import ConversationMessages
    from modulo.ports.metadata.conversations import Conversations


def delete_message(
    principal: Principal,
    conversation_id: UUID,
    message_id: UUID,
    *,
    conversations: Conversations,
    messages: ConversationMessages,
    clock: Clock,
) -> Conversation:
    """Delete it; the conversation as it is then.

    Raises:
        NotFound: the caller has no such conversation, or it has no such message.
    """
    messages.delete_message(principal, conversation_id, message_id, now=clock.now())
    return conversations.get_conversation(principal, conversation_id)

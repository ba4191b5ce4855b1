"""Rename or archive a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.conversations.conversation import Conversation, ConversationChange
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.conversations import Conversations
    from modulo.ports.metadata.search import Grants


def update_conversation(
    principal: Principal,
    conversation_id: UUID,
    change: ConversationChange,
    *,
    conversations: Conversations,
    grants: Grants,
    clock: Clock,
) -> Conversation:
    """Change what is not null.

    Raises:
        NotFound: the caller has no such conversation, or sees no such collection.
    """
    if change.collection_id is not None:
        grants.grant(principal, change.collection_id)
    return conversations.update_conversation(principal, conversation_id, change, now=clock.now())

"""Delete a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.operations.deletion import DeletionRequested, deletion_id

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.conversations import Conversations


def delete_conversation(
    principal: Principal, conversation_id: UUID, *, conversations: Conversations, clock: Clock
) -> DeletionRequested:
    """Delete it with its messages, at once: only the metadata holds them. The receipt says so.

    Raises:
        NotFound: the caller has no such conversation.
    """
    conversations.delete_conversation(principal, conversation_id, now=clock.now())
    return DeletionRequested(id=conversation_id, deletion_id=deletion_id(conversation_id))

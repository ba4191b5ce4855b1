"""Add messages to a conversation that somebody else asked and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.conversations.conversation import MessageDraft, StoredMessage
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.conversation_messages import ConversationMessages


def add_messages(
    principal: Principal,
    conversation_id: UUID,
    drafts: Sequence[MessageDraft],
    *,
    messages: ConversationMessages,
    clock: Clock,
    limit: int,
) -> Sequence[StoredMessage]:
    """Append them, together.

    Raises:
        NotFound: the caller has no such conversation.
        Conflict: it is archived.
        QuotaExceeded: it would have more than `limit` messages.
    """
    return messages.add_messages(principal, conversation_id, drafts, limit=limit, now=clock.now())

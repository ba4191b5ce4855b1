"""The messages of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.conversations.conversation import Feedback, MessageDraft, MessagePage, StoredMessage
    from modulo.domain.tenancy.identity import Principal


class ConversationMessages(Protocol):
    """The messages of conversations, each as private as its conversation.

    Each method raises `NotFound` where the caller has no conversation or message of that id.
    """

    def add_messages(
        self,
        principal: Principal,
        conversation_id: UUID,
        drafts: Sequence[MessageDraft],
        *,
        limit: int,
        now: datetime,
    ) -> tuple[StoredMessage, ...]:
        """Append them, together; the first question becomes the title of a conversation without one.

        Raises:
            QuotaExceeded: the conversation would have more than `limit` messages.
            Conflict: the conversation is archived, or an id was used before.
        """
        ...

    def list_messages(
        self, principal: Principal, conversation_id: UUID, *, after: UUID | None, limit: int, newest_first: bool = False
    ) -> MessagePage:
        """Those behind the message `after` in that order; oldest first unless said otherwise."""
        ...

    def get_message(self, principal: Principal, message_id: UUID) -> StoredMessage:
        """One of the caller's messages, whichever conversation it is in."""
        ...

    def delete_message(self, principal: Principal, conversation_id: UUID, message_id: UUID, *, now: datetime) -> None:
        """Delete one of its messages; the others keep their order."""
        ...

    def set_feedback(
        self, principal: Principal, conversation_id: UUID, message_id: UUID, feedback: Feedback, *, now: datetime
    ) -> StoredMessage:
        """Record what the caller thinks of an answer, in place of what was recorded before.

        Raises:
            NotFound: the conversation has no such answer.
        """
        ...

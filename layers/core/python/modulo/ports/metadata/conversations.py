"""Conversations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.conversations.conversation import Conversation, ConversationChange, ConversationDraft
    from modulo.domain.pagination import Cursor, Listing
    from modulo.domain.tenancy.identity import Principal


class Conversations(Protocol):
    """Conversations, each private to one user: to everybody else it does not exist.

    Each method about one of them raises `NotFound` where the caller has none of that id.
    """

    def create_conversation(
        self, principal: Principal, draft: ConversationDraft, *, limit: int, now: datetime
    ) -> Conversation:
        """Store it with its first messages, or answer with what the same draft created before.

        Raises:
            QuotaExceeded: the user has `limit` conversations.
            Conflict: the id was used for another one.
        """
        ...

    def list_conversations(
        self, principal: Principal, *, after: Cursor | None, limit: int, archived: bool | None
    ) -> Listing[Conversation]:
        """One page, the last used first; with `archived`, only those that are or are not."""
        ...

    def get_conversation(self, principal: Principal, conversation_id: UUID) -> Conversation:
        """One of them."""
        ...

    def update_conversation(
        self, principal: Principal, conversation_id: UUID, change: ConversationChange, *, now: datetime
    ) -> Conversation:
        """Change what is not None."""
        ...

    def delete_conversation(
        self, principal: Principal, conversation_id: UUID, *, only_empty: bool = False, now: datetime
    ) -> None:
        """Delete it and its messages at once, and leave a completed receipt; again, it changes nothing.

        With `only_empty`, one that holds messages stays as it is.
        """
        ...

    def expire_conversations(self, *, before: datetime, limit: int) -> int:
        """Delete at most `limit` conversations, of all tenants, not used since; how many there were."""
        ...

"""Begin a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.conversations.conversation import ConversationDraft
from modulo.usecases.idempotency import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.conversations.conversation import Conversation, MessageDraft, NewConversation
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.conversations import Conversations
    from modulo.ports.metadata.search import Grants


def create_conversation(
    principal: Principal,
    request: NewConversation,
    *,
    idempotency_key: str | None,
    conversations: Conversations,
    grants: Grants,
    clock: Clock,
    limit: int,
    messages: Sequence[MessageDraft] = (),
) -> Conversation:
    """Begin a conversation of the caller's, with its first messages; `limit` is how many a user may keep.

    Raises:
        NotFound: no such collection is visible to the caller.
        Conflict: the idempotency key was used for something else, or for what was deleted.
        QuotaExceeded: the caller has `limit` conversations.
    """
    if request.collection_id is not None:
        grants.grant(principal, request.collection_id)
    draft = ConversationDraft(
        id=new_id(principal, "conversation", idempotency_key),
        title=request.title or "",
        collection_id=request.collection_id,
        metadata=request.metadata,
        messages=tuple(messages),
    )
    return conversations.create_conversation(principal, draft, limit=limit, now=clock.now())

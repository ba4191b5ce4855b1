"""Show a stored answer as its door told it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.conversations.response import RESPONSE
from modulo.domain.errors import NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.conversations.conversation import StoredMessage
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversation_messages import ConversationMessages


def get_response(principal: Principal, response_id: UUID, *, messages: ConversationMessages) -> StoredMessage:
    """The answer, with what was stored beside it.

    Raises:
        NotFound: the caller has no such answer.
    """
    stored = messages.get_message(principal, response_id)
    if RESPONSE not in stored.details:
        raise NotFound
    return stored

"""Show a stored answer as its door told it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import NotFound
from modulo.domain.response import RESPONSE

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.conversation import StoredMessage
    from modulo.domain.identity import Principal
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

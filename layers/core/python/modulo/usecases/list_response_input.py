"""List the messages that a stored answer answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.conversations.response import INPUT
from modulo.usecases.get_response import get_response

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.conversations.conversation import Message
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversation_messages import ConversationMessages


def list_response_input(
    principal: Principal, response_id: UUID, *, messages: ConversationMessages
) -> Sequence[Message]:
    """They, oldest first, without those that were deleted since.

    Raises:
        NotFound: the caller has no such answer.
    """
    stored = get_response(principal, response_id, messages=messages)
    said = stored.details[INPUT]
    page = messages.list_messages(
        principal, stored.message.conversation_id, after=response_id, limit=len(said), newest_first=True
    )
    return [one.message for one in reversed(page.items) if str(one.message.id) in said]

"""Delete a stored answer with the messages that it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.conversations.response import BEGAN
from modulo.usecases.list_response_input import list_response_input

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.conversation_messages import ConversationMessages
    from modulo.ports.metadata.conversations import Conversations


def delete_response(
    principal: Principal,
    response_id: UUID,
    *,
    conversations: Conversations,
    messages: ConversationMessages,
    clock: Clock,
) -> None:
    """Delete the messages, the answer last, so that what was interrupted can be asked for again.

    A conversation that began with an answer, and holds nothing else, goes with it.

    Raises:
        NotFound: the caller has no such answer.
    """
    now = clock.now()
    said = list_response_input(principal, response_id, messages=messages)
    stored = messages.get_message(principal, response_id)
    conversation_id = stored.message.conversation_id
    for message_id in (*(one.id for one in said), response_id):
        messages.delete_message(principal, conversation_id, message_id, now=now)
    if stored.details[BEGAN]:
        conversations.delete_conversation(principal, conversation_id, only_empty=True, now=now)

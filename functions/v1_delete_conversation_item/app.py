"""DELETE /v1/conversations/{conversation_id}/items/{item_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run, services
from modulo.runtime.openai.conversations import ConversationObject, conversation_answer
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.usecases.delete_message import delete_message

router = APIRouter()
PATH = "/conversations/{conversation_id}/items/{item_id}"


@router.delete(PATH, operation_id="v1_delete_conversation_item", responses=openai_responses(NotFound))
async def endpoint(caller: Writer, conversation_id: UUID, item_id: UUID) -> ConversationObject:
    """Delete a message of a conversation."""
    s = services()
    left = await run(
        delete_message,
        caller,
        conversation_id,
        item_id,
        conversations=s.conversations,
        messages=s.conversation_messages,
        clock=s.clock,
    )
    return conversation_answer(left)


handler = v1_handler_of(router, uses=("conversations", "conversation_messages", "clock"))

"""DELETE /v1/conversations/{conversation_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run, services
from modulo.runtime.openai.conversations import ConversationDeleted
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.usecases.delete_conversation import delete_conversation

router = APIRouter()
PATH = "/conversations/{conversation_id}"


@router.delete(PATH, operation_id="v1_delete_conversation", responses=openai_responses(NotFound))
async def endpoint(caller: Writer, conversation_id: UUID) -> ConversationDeleted:
    """Delete a conversation with its messages, at once."""
    s = services()
    await run(delete_conversation, caller, conversation_id, conversations=s.conversations, clock=s.clock)
    return ConversationDeleted(id=conversation_id)


handler = v1_handler_of(router, uses=("conversations", "clock"))

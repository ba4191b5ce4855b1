"""GET /v1/conversations/{conversation_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.conversations import ConversationObject, conversation_answer
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.usecases.get_conversation import get_conversation

router = APIRouter()
PATH = "/conversations/{conversation_id}"


@router.get(PATH, operation_id="v1_get_conversation", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, conversation_id: UUID) -> ConversationObject:
    """Show a conversation of the caller's."""
    found = await run(get_conversation, caller, conversation_id, conversations=services().conversations)
    return conversation_answer(found)


handler = v1_handler_of(router, uses=("conversations",))

"""GET /v1/conversations/{conversation_id}/items/{item_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.conversations import Item, item_answer
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.usecases.get_message import get_message

router = APIRouter()
PATH = "/conversations/{conversation_id}/items/{item_id}"


@router.get(PATH, operation_id="v1_get_conversation_item", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, conversation_id: UUID, item_id: UUID) -> Item:
    """Show a message of a conversation."""
    found = await run(get_message, caller, conversation_id, item_id, messages=services().conversation_messages)
    return item_answer(found)


handler = v1_handler_of(router, uses=("conversation_messages",))

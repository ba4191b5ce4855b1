"""GET /v1/conversations/{conversation_id}/items."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.conversations import Item, item_answer
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.pages import ItemWindowQuery, ListAnswer, list_answer
from modulo.usecases.page_messages import page_messages

router = APIRouter()
PATH = "/conversations/{conversation_id}/items"


@router.get(PATH, operation_id="v1_list_conversation_items", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, conversation_id: UUID, window: ItemWindowQuery) -> ListAnswer[Item]:
    """List a conversation's messages, the newest first unless said otherwise."""
    page = await run(page_messages, caller, conversation_id, window, messages=services().conversation_messages)
    return list_answer(page, item_answer)


handler = v1_handler_of(router, uses=("conversation_messages",))

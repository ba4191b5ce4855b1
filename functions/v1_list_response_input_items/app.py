"""GET /v1/responses/{response_id}/input_items."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.conversations import Item, input_item, input_page
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.pages import ItemWindowQuery, ListAnswer, list_answer
from modulo.usecases.list_response_input import list_response_input

router = APIRouter()
PATH = "/responses/{response_id}/input_items"


@router.get(PATH, operation_id="v1_list_response_input_items", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, response_id: UUID, window: ItemWindowQuery) -> ListAnswer[Item]:
    """List the messages that a response answers."""
    said = await run(list_response_input, caller, response_id, messages=services().conversation_messages)
    return list_answer(input_page(said, window), input_item)


handler = v1_handler_of(router, uses=("conversation_messages",))

"""POST /v1/conversations/{conversation_id}/items."""

from uuid import UUID

from modulo.domain.errors import Conflict, NotFound, QuotaExceeded
from modulo.domain.pagination import Page
from modulo.runtime.endpoint import APIRouter, Writer, run, services
from modulo.runtime.openai.conversations import CreateItems, Item, item_answer
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.pages import ListAnswer, list_answer
from modulo.usecases.add_messages import add_messages

router = APIRouter()
PATH = "/conversations/{conversation_id}/items"


@router.post(
    PATH, operation_id="v1_create_conversation_items", responses=openai_responses(Conflict, NotFound, QuotaExceeded)
)
async def endpoint(caller: Writer, conversation_id: UUID, body: CreateItems) -> ListAnswer[Item]:
    """Add messages to a conversation."""
    s = services()
    added = await run(
        add_messages,
        caller,
        conversation_id,
        body.drafts(),
        messages=s.conversation_messages,
        clock=s.clock,
        limit=s.settings.quotas.messages,
    )
    return list_answer(Page(tuple(added), more=False), item_answer)


handler = v1_handler_of(router, uses=("conversation_messages", "clock"))

"""POST /v1/conversations/{conversation_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run, services
from modulo.runtime.openai.conversations import ConversationObject, UpdateConversation, conversation_answer
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.usecases.update_conversation import update_conversation

router = APIRouter()
PATH = "/conversations/{conversation_id}"


@router.post(PATH, operation_id="v1_update_conversation", responses=openai_responses(NotFound))
async def endpoint(caller: Writer, conversation_id: UUID, body: UpdateConversation) -> ConversationObject:
    """Replace a conversation's metadata."""
    s = services()
    asked = (caller, conversation_id, body.change())
    changed = await run(update_conversation, *asked, conversations=s.conversations, grants=s.grants, clock=s.clock)
    return conversation_answer(changed)


handler = v1_handler_of(router, uses=("conversations", "grants", "clock"))

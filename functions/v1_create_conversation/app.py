"""POST /v1/conversations."""

from modulo.domain.errors import QuotaExceeded
from modulo.runtime.endpoint import APIRouter, Writer, announces, run, services
from modulo.runtime.openai.conversations import ConversationObject, CreateConversation, conversation_answer
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.usecases.create_conversation import create_conversation

router = APIRouter(dependencies=announces("conversations"))
PATH = "/conversations"


@router.post(PATH, operation_id="v1_create_conversation", responses=openai_responses(QuotaExceeded))
async def endpoint(caller: Writer, body: CreateConversation) -> ConversationObject:
    """Begin a conversation, which only the caller sees."""
    s = services()
    made = await run(
        create_conversation,
        caller,
        body.new(),
        idempotency_key=None,
        conversations=s.conversations,
        grants=s.grants,
        clock=s.clock,
        limit=s.settings.quotas.conversations,
        messages=body.drafts(),
    )
    return conversation_answer(made)


handler = v1_handler_of(router, uses=("conversations", "grants", "clock"))

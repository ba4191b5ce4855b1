"""POST /conversations."""

from modulo.domain.conversations.conversation import Conversation, NewConversation
from modulo.domain.errors import Conflict, NotFound, QuotaExceeded
from modulo.runtime.endpoint import APIRouter, IdempotencyKey, Writer, announces, handler_of, responses, run, services
from modulo.usecases.create_conversation import create_conversation

router = APIRouter(tags=["conversations"], dependencies=announces("conversations"))
PROBLEMS = responses(Conflict, NotFound, QuotaExceeded)


@router.post("/conversations", operation_id="create_conversation", status_code=201, responses=PROBLEMS)
async def endpoint(caller: Writer, body: NewConversation, idempotency_key: IdempotencyKey = None) -> Conversation:
    """Begin a conversation, which only the caller sees."""
    s = services()
    return await run(
        create_conversation,
        caller,
        body,
        idempotency_key=idempotency_key,
        conversations=s.conversations,
        grants=s.grants,
        clock=s.clock,
        limit=s.settings.quotas.conversations,
    )


handler = handler_of(router, uses=("conversations", "grants", "clock"))

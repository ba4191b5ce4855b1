"""GET /conversations/{conversation_id}."""

from uuid import UUID

from modulo.domain.conversations.conversation import Conversation
from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, handler_of, responses, run, services
from modulo.usecases.get_conversation import get_conversation

router = APIRouter(tags=["conversations"])


@router.get("/conversations/{conversation_id}", operation_id="get_conversation", responses=responses(NotFound))
async def endpoint(caller: Reader, conversation_id: UUID) -> Conversation:
    """Show a conversation of the caller's."""
    return await run(get_conversation, caller, conversation_id, conversations=services().conversations)


handler = handler_of(router, uses=("conversations",))

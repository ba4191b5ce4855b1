"""PATCH /conversations/{conversation_id}."""

from uuid import UUID

from modulo.domain.conversations.conversation import Conversation, ConversationChange
from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.update_conversation import update_conversation

router = APIRouter(tags=["conversations"])


@router.patch("/conversations/{conversation_id}", operation_id="update_conversation", responses=responses(NotFound))
async def endpoint(caller: Writer, conversation_id: UUID, body: ConversationChange) -> Conversation:
    """Rename or archive a conversation, or change its collection or metadata."""
    s = services()
    return await run(
        update_conversation,
        caller,
        conversation_id,
        body,
        conversations=s.conversations,
        grants=s.grants,
        clock=s.clock,
    )


handler = handler_of(router, uses=("conversations", "grants", "clock"))

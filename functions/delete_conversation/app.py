"""DELETE /conversations/{conversation_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.domain.operations.deletion import DeletionRequested
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.delete_conversation import delete_conversation

router = APIRouter(tags=["conversations"])
PATH = "/conversations/{conversation_id}"


@router.delete(PATH, operation_id="delete_conversation", status_code=202, responses=responses(NotFound))
async def endpoint(caller: Writer, conversation_id: UUID) -> DeletionRequested:
    """Delete a conversation with all its messages, at once; the receipt proves it."""
    s = services()
    return await run(delete_conversation, caller, conversation_id, conversations=s.conversations, clock=s.clock)


handler = handler_of(router, uses=("conversations", "clock"))

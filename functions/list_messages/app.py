"""GET /conversations/{conversation_id}/messages."""

from uuid import UUID

from modulo.domain.conversations.conversation import Message
from modulo.domain.errors import NotFound
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import AfterId, APIRouter, Flag, PageSize, Reader, handler_of, responses, run, services
from modulo.usecases.list_messages import list_messages

router = APIRouter(tags=["conversations"])
PATH = "/conversations/{conversation_id}/messages"


@router.get(PATH, operation_id="list_messages", responses=responses(NotFound))
async def endpoint(
    caller: Reader, conversation_id: UUID, after: AfterId = None, limit: PageSize = 50, newest_first: Flag = False
) -> Listing[Message]:
    """List a conversation's messages with their citations, oldest first."""
    return await run(
        list_messages,
        caller,
        conversation_id,
        after=after,
        limit=limit,
        newest_first=newest_first,
        messages=services().conversation_messages,
    )


handler = handler_of(router, uses=("conversation_messages",))

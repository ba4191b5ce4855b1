"""GET /conversations."""

from modulo.domain.conversations.conversation import Conversation
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import After, APIRouter, Flag, PageSize, Reader, handler_of, responses, run, services
from modulo.usecases.list_conversations import list_conversations

router = APIRouter(tags=["conversations"])


@router.get("/conversations", operation_id="list_conversations", responses=responses())
async def endpoint(
    caller: Reader, after: After = None, limit: PageSize = 50, archived: Flag | None = None
) -> Listing[Conversation]:
    """List the caller's conversations, the last used first."""
    return await run(
        list_conversations,
        caller,
        after=after,
        limit=limit,
        archived=archived,
        conversations=services().conversations,
    )


handler = handler_of(router, uses=("conversations",))

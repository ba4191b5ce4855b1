"""PUT /conversations/{conversation_id}/messages/{message_id}/feedback."""

from uuid import UUID

from modulo.domain.conversations.conversation import Feedback, Message
from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.rate_answer import rate_answer

router = APIRouter(tags=["conversations"])
PATH = "/conversations/{conversation_id}/messages/{message_id}/feedback"


@router.put(PATH, operation_id="rate_answer", responses=responses(NotFound))
async def endpoint(caller: Writer, conversation_id: UUID, message_id: UUID, body: Feedback) -> Message:
    """Rate an answer up or down, with a comment; null takes the rating back."""
    s = services()
    return await run(
        rate_answer,
        caller,
        conversation_id,
        message_id,
        body,
        messages=s.conversation_messages,
        metrics=s.metrics,
        clock=s.clock,
    )


handler = handler_of(router, uses=("conversation_messages", "metrics", "clock"))

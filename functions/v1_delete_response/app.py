"""DELETE /v1/responses/{response_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.responses import ResponseDeleted
from modulo.usecases.delete_response import delete_response

router = APIRouter()
PATH = "/responses/{response_id}"


@router.delete(PATH, operation_id="v1_delete_response", responses=openai_responses(NotFound))
async def endpoint(caller: Writer, response_id: UUID) -> ResponseDeleted:
    """Delete a response with the messages that it answers."""
    s = services()
    await run(
        delete_response,
        caller,
        response_id,
        conversations=s.conversations,
        messages=s.conversation_messages,
        clock=s.clock,
    )
    return ResponseDeleted(id=response_id)


handler = v1_handler_of(router, uses=("conversations", "conversation_messages", "clock"))

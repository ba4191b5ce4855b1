"""POST /v1/responses/{response_id}/cancel."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.responses import Response
from modulo.usecases.cancel_response import cancel_response

router = APIRouter()
PATH = "/responses/{response_id}/cancel"


@router.post(PATH, operation_id="v1_cancel_response", responses=openai_responses(NotFound))
async def endpoint(caller: Writer, response_id: UUID) -> Response:
    """Refuse to cancel a response: none is written in the background."""
    await run(cancel_response, caller, response_id, messages=services().conversation_messages)


handler = v1_handler_of(router, uses=("conversation_messages",))

"""GET /v1/responses/{response_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.responses import Response, stored_response
from modulo.usecases.get_response import get_response

router = APIRouter()
PATH = "/responses/{response_id}"


@router.get(PATH, operation_id="v1_get_response", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, response_id: UUID) -> Response:
    """Show a response that was stored."""
    found = await run(get_response, caller, response_id, messages=services().conversation_messages)
    return stored_response(found)


handler = v1_handler_of(router, uses=("conversation_messages",))

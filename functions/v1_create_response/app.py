"""POST /v1/responses."""

from modulo.domain.errors import BadModelAnswer, Conflict, NotFound, QuotaExceeded, Unavailable
from modulo.runtime.endpoint import APIRouter, Later, Response, Writer, announces, later_or_streamed, run, services
from modulo.runtime.openai import responses
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.response_request import CreateResponse
from modulo.runtime.openai.response_stream import ResponseWriter, response_answer
from modulo.usecases.choose_collections import choose_collections
from modulo.usecases.create_response import ResponsePorts, create_response
from modulo.usecases.search.ports import SEARCH_PORTS, SearchPorts

router = APIRouter(dependencies=announces("tokens_per_day"))
ERRORS = (BadModelAnswer, Conflict, NotFound, QuotaExceeded, Unavailable)
PROBLEMS = openai_responses(*ERRORS) | {200: {"model": responses.Response}}


@router.post("/responses", operation_id="v1_create_response", response_class=Response, responses=PROBLEMS)
async def endpoint(caller: Writer, body: CreateResponse, later: Later) -> Response:
    """Answer a question from vector stores, and store both unless told otherwise; as a stream where asked to."""
    s = services()
    search = SearchPorts(
        *(s.grants, s.usage, s.cache, s.vectors, s.embedder, s.reranker, s.generator, s.metrics, s.clock)
    )
    asked, named = body.asked(), (body.model, body.vector_store_ids)
    chosen = await run(choose_collections, caller, *named, collections=s.collections)
    writer = ResponseWriter(body, asked.id, asked.question, lambda: int(s.clock.now().timestamp()))
    events = create_response(
        *(caller, asked, chosen, ResponsePorts(search, s.conversations, s.conversation_messages)),
        details=writer.finish,
        limits=s.search_limits,
        window_tokens=s.settings.conversation_window_tokens,
        later=later_or_streamed(later, stream=body.stream),
        streams=bool(body.stream),
    )
    return await response_answer(writer, events)


handler = v1_handler_of(router, uses=("collections", "conversations", "conversation_messages", *SEARCH_PORTS))

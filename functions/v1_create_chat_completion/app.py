"""POST /v1/chat/completions."""

from modulo.domain.errors import BadModelAnswer, NotFound, QuotaExceeded, Unavailable
from modulo.runtime.endpoint import (
    APIRouter,
    Later,
    Reader,
    Request,
    Response,
    announces,
    later_or_streamed,
    run,
    services,
)
from modulo.runtime.openai.chat import ChatCompletion, chat_answer
from modulo.runtime.openai.chat_request import CreateChatCompletion
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.usecases.choose_collections import choose_collections
from modulo.usecases.search.in_context import answer_in_context
from modulo.usecases.search.ports import SEARCH_PORTS, SearchPorts

router = APIRouter(dependencies=announces("tokens_per_day"))
PROBLEMS = openai_responses(BadModelAnswer, NotFound, QuotaExceeded, Unavailable) | {200: {"model": ChatCompletion}}


@router.post("/chat/completions", operation_id="v1_create_chat_completion", response_class=Response, responses=PROBLEMS)
async def endpoint(caller: Reader, request: Request, body: CreateChatCompletion, later: Later) -> Response:
    """Answer a question from the collection that is the model, or from those named; as a stream where asked to."""
    s, asked = services(), body.asked()
    ports = SearchPorts(
        *(s.grants, s.usage, s.cache, s.vectors, s.embedder, s.reranker, s.generator, s.metrics, s.clock)
    )
    chosen = await run(choose_collections, caller, body.model, body.vector_store_ids, collections=s.collections)
    events = answer_in_context(
        *(caller, asked.of(chosen), asked.options, ports),
        limits=s.search_limits,
        window_tokens=s.settings.conversation_window_tokens,
        later=later_or_streamed(later, stream=body.stream),
        streams=bool(body.stream),
    )
    origin, created = str(request.base_url).rstrip("/"), int(s.clock.now().timestamp())
    return await chat_answer(body, events, created=created, origin=origin)


handler = v1_handler_of(router, uses=("collections", *SEARCH_PORTS))

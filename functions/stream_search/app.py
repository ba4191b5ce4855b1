"""POST /search/stream."""

from modulo.domain.errors import BadModelAnswer, NotFound, QuotaExceeded, Unavailable
from modulo.domain.search.search import SearchInput
from modulo.runtime.answer_stream import SEARCH_EVENTS, answer_stream_response
from modulo.runtime.endpoint import (
    APIRouter,
    Reader,
    Response,
    add_log_fields,
    announces,
    at_once,
    handler_of,
    responses,
    services,
)
from modulo.runtime.server_sent_events import EVENTS
from modulo.usecases.search.ports import SEARCH_PORTS, SearchPorts
from modulo.usecases.stream_search import stream_search

router = APIRouter(tags=["search"], dependencies=announces("tokens_per_day"))
PROBLEMS = responses(BadModelAnswer, NotFound, QuotaExceeded, Unavailable)


@router.post("/search/stream", operation_id="stream_search", response_class=Response, responses={**EVENTS, **PROBLEMS})
async def endpoint(caller: Reader, body: SearchInput) -> Response:
    """Answer as `search` does, and tell of the answer while it is written: stage, passages, text, usage, done."""
    s = services()
    add_log_fields(collection_ids=[str(one) for one in body.collections])
    ports = SearchPorts(
        grants=s.grants,
        usage=s.usage,
        cache=s.cache,
        vectors=s.vectors,
        embedder=s.embedder,
        reranker=s.reranker,
        generator=s.generator,
        metrics=s.metrics,
        clock=s.clock,
    )
    events = stream_search(caller, body, ports, limits=s.search_limits, later=at_once)
    return await answer_stream_response(events, SEARCH_EVENTS)


handler = handler_of(router, uses=SEARCH_PORTS)

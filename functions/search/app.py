"""POST /search."""

from modulo.domain.errors import BadModelAnswer, NotFound, QuotaExceeded, Unavailable
from modulo.domain.search.search import SearchInput, SearchOutput
from modulo.runtime.endpoint import (
    APIRouter,
    Later,
    Reader,
    add_log_fields,
    announces,
    handler_of,
    responses,
    run_external,
    services,
)
from modulo.usecases.search.ports import SEARCH_PORTS, SearchPorts
from modulo.usecases.search.search import search

router = APIRouter(tags=["search"], dependencies=announces("tokens_per_day"))
PROBLEMS = responses(BadModelAnswer, NotFound, QuotaExceeded, Unavailable)


@router.post("/search", operation_id="search", responses=PROBLEMS)
async def endpoint(caller: Reader, body: SearchInput, later: Later) -> SearchOutput:
    """Answer a question from one collection or several, with checked citations."""
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
    return await run_external(search, caller, body, ports, limits=s.search_limits, later=later)


handler = handler_of(router, uses=SEARCH_PORTS)

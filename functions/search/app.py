"""POST /search."""

from modulo.domain.errors import BadModelAnswer, NotFound, QuotaExceeded, Unavailable
from modulo.domain.search import SearchInput, SearchOutput
from modulo.runtime.endpoint import APIRouter, Later, Reader, handler_of, responses, run, services
from modulo.usecases.search import search

router = APIRouter()
PROBLEMS = responses(BadModelAnswer, NotFound, QuotaExceeded, Unavailable)


@router.post("/search", operation_id="search", responses=PROBLEMS)
async def endpoint(caller: Reader, body: SearchInput, later: Later) -> SearchOutput:
    """Answer a question from a collection, with checked citations."""
    s = services()
    return await run(
        search,
        caller,
        body,
        metadata=s.metadata,
        cache=s.cache,
        vectors=s.vectors,
        embedder=s.embedder,
        reranker=s.reranker,
        generator=s.generator,
        metrics=s.metrics,
        clock=s.clock,
        limits=s.search_limits,
        later=later,
    )


handler = handler_of(router)

"""POST /v1/vector_stores/{vector_store_id}/search."""

from uuid import UUID

from modulo.domain.errors import BadModelAnswer, NotFound, Unavailable
from modulo.runtime.endpoint import APIRouter, Later, Reader, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.store_search import SearchStore, StoreResults, store_results_answer
from modulo.usecases.search.ports import SEARCH_PORTS, SearchPorts
from modulo.usecases.search.several import search_several

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}/search"
PROBLEMS = openai_responses(BadModelAnswer, NotFound, Unavailable)


@router.post(PATH, operation_id="v1_search_vector_store", responses=PROBLEMS)
async def endpoint(caller: Reader, vector_store_id: UUID, body: SearchStore, later: Later) -> StoreResults:
    """Search a collection for passages."""
    s = services()
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
    searches = body.searches(vector_store_id)
    found = await run_external(search_several, caller, searches, ports, limits=s.search_limits, later=later)
    return store_results_answer(body, found)


handler = v1_handler_of(router, uses=SEARCH_PORTS)

"""GET /collections/{collection_id}/reembedding."""

from uuid import UUID

from modulo.domain.collections.reembedding import Reembedding
from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, handler_of, responses, run, services
from modulo.usecases.get_reembedding import get_reembedding

router = APIRouter(tags=["re-embedding"])


@router.get(
    "/collections/{collection_id}/reembedding",
    operation_id="get_reembedding",
    responses=responses(NotFound),
)
async def endpoint(caller: Reader, collection_id: UUID) -> Reembedding:
    """Show the progress of a collection's latest re-embedding."""
    s = services()
    return await run(get_reembedding, caller, collection_id, reembeddings=s.reembeddings, clock=s.clock)


handler = handler_of(router, uses=("reembeddings", "clock"))

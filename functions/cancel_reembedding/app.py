"""DELETE /collections/{collection_id}/reembedding."""

from uuid import UUID

from modulo.domain.collections.reembedding import Reembedding
from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.cancel_reembedding import cancel_reembedding

router = APIRouter(tags=["re-embedding"])


@router.delete(
    "/collections/{collection_id}/reembedding",
    operation_id="cancel_reembedding",
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID) -> Reembedding:
    """Cancel a re-embedding; after the switch, drop the old index (rollback no longer possible)."""
    s = services()
    return await run(cancel_reembedding, caller, collection_id, reembeddings=s.reembeddings, clock=s.clock)


handler = handler_of(router, uses=("reembeddings", "clock"))

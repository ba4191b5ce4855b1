"""DELETE /collections/{collection_id}/reembedding."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.domain.reembedding import Reembedding
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.end_reembedding import end_reembedding

router = APIRouter()


@router.delete(
    "/collections/{collection_id}/reembedding",
    operation_id="end_reembedding",
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID) -> Reembedding:
    """Give a re-embedding up or, after the switch, the way back."""
    s = services()
    return await run(end_reembedding, caller, collection_id, metadata=s.metadata, clock=s.clock)


handler = handler_of(router)

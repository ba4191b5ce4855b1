"""POST /collections/{collection_id}/reembedding/rollback."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.domain.reembedding import Reembedding, Switching
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.roll_back_reembedding import roll_back_reembedding

router = APIRouter()


@router.post(
    "/collections/{collection_id}/reembedding/rollback",
    operation_id="roll_back_reembedding",
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, body: Switching) -> Reembedding:
    """Have searches see the index of before again."""
    s = services()
    return await run(roll_back_reembedding, caller, collection_id, body, metadata=s.metadata, clock=s.clock)


handler = handler_of(router)

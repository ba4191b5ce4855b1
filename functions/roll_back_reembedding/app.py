"""POST /collections/{collection_id}/reembedding/rollback."""

from uuid import UUID

from modulo.domain.collections.reembedding import Reembedding, SwitchRequest
from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.roll_back_reembedding import roll_back_reembedding

router = APIRouter(tags=["re-embedding"])


@router.post(
    "/collections/{collection_id}/reembedding/rollback",
    operation_id="roll_back_reembedding",
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, body: SwitchRequest) -> Reembedding:
    """Roll back a re-embedding: searches use the previous index again."""
    s = services()
    return await run(roll_back_reembedding, caller, collection_id, body, reembeddings=s.reembeddings, clock=s.clock)


handler = handler_of(router, uses=("reembeddings", "clock"))

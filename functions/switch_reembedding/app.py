"""POST /collections/{collection_id}/reembedding/switch."""

from uuid import UUID

from modulo.domain.collections.reembedding import Reembedding, SwitchRequest
from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.switch_reembedding import switch_reembedding

router = APIRouter(tags=["re-embedding"])


@router.post(
    "/collections/{collection_id}/reembedding/switch",
    operation_id="switch_reembedding",
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, body: SwitchRequest) -> Reembedding:
    """Switch searches to the index that was built."""
    s = services()
    return await run(switch_reembedding, caller, collection_id, body, reembeddings=s.reembeddings, clock=s.clock)


handler = handler_of(router, uses=("reembeddings", "clock"))

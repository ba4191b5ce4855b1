"""POST /collections/{collection_id}/reembedding/switch."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.domain.reembedding import Reembedding, Switching
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.switch_reembedding import switch_reembedding

router = APIRouter()


@router.post(
    "/collections/{collection_id}/reembedding/switch",
    operation_id="switch_reembedding",
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, body: Switching) -> Reembedding:
    """Have searches see the index that was built."""
    s = services()
    return await run(switch_reembedding, caller, collection_id, body, metadata=s.metadata, clock=s.clock)


handler = handler_of(router)

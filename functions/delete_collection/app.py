"""DELETE /collections/{collection_id}."""

from uuid import UUID

from modulo.domain.deletion import DeletionRequested
from modulo.domain.errors import Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.delete_collection import delete_collection

router = APIRouter()


@router.delete(
    "/collections/{collection_id}",
    operation_id="delete_collection",
    status_code=202,
    responses=responses(Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID) -> DeletionRequested:
    """Make a collection invisible at once and have everything in it removed."""
    s = services()
    return await run(delete_collection, caller, collection_id, metadata=s.metadata, purges=s.purges, clock=s.clock)


handler = handler_of(router)

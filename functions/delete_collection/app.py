"""DELETE /collections/{collection_id}."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.operations.deletion import DeletionRequested
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run_external, services
from modulo.usecases.delete_collection import delete_collection

router = APIRouter(tags=["collections"])


@router.delete(
    "/collections/{collection_id}",
    operation_id="delete_collection",
    status_code=202,
    responses=responses(Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID) -> DeletionRequested:
    """Delete a collection: it is invisible at once, and everything in it is removed shortly."""
    s = services()
    return await run_external(
        delete_collection, caller, collection_id, collections=s.collections, purges=s.purges, clock=s.clock
    )


handler = handler_of(router, uses=("collections", "purges", "clock"))

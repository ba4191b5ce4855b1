"""PATCH /collections/{collection_id}."""

from uuid import UUID

from modulo.domain.collection import Collection, CollectionChange
from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.update_collection import update_collection

router = APIRouter()


@router.patch(
    "/collections/{collection_id}", operation_id="update_collection", responses=responses(Conflict, Forbidden, NotFound)
)
async def endpoint(caller: Writer, collection_id: UUID, body: CollectionChange) -> Collection:
    """Rename a collection, or change how files uploaded from now on are cut."""
    s = services()
    return await run(update_collection, caller, collection_id, body, metadata=s.metadata, clock=s.clock)


handler = handler_of(router)

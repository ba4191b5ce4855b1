"""PATCH /collections/{collection_id}."""

from uuid import UUID

from modulo.domain.collections.collection import Collection, CollectionChange
from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.update_collection import update_collection

router = APIRouter(tags=["collections"])


@router.patch(
    "/collections/{collection_id}", operation_id="update_collection", responses=responses(Conflict, Forbidden, NotFound)
)
async def endpoint(caller: Writer, collection_id: UUID, body: CollectionChange) -> Collection:
    """Rename a collection, change how it is searched, or the chunking of files uploaded from now on."""
    s = services()
    return await run(
        update_collection,
        caller,
        collection_id,
        body,
        collections=s.collections,
        clock=s.clock,
        max_top_k=s.settings.max_top_k,
    )


handler = handler_of(router, uses=("collections", "clock"))

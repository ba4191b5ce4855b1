"""GET /collections/{collection_id}."""

from uuid import UUID

from modulo.domain.collections.collection import Collection
from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, handler_of, responses, run, services
from modulo.usecases.get_collection import get_collection

router = APIRouter(tags=["collections"])


@router.get("/collections/{collection_id}", operation_id="get_collection", responses=responses(NotFound))
async def endpoint(caller: Reader, collection_id: UUID) -> Collection:
    """Show a collection with the number of its files in each stage."""
    return await run(get_collection, caller, collection_id, collections=services().collections)


handler = handler_of(router, uses=("collections",))

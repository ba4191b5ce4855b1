"""GET /collections."""

from typing import Annotated

from modulo.domain.collections.collection import Collection
from modulo.domain.model import STORABLE
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import After, APIRouter, PageSize, Query, Reader, handler_of, responses, run, services
from modulo.usecases.list_collections import list_collections

router = APIRouter(tags=["collections"])
Name = Annotated[str | None, Query(max_length=200, pattern=STORABLE, description="filter: the name contains this")]


@router.get("/collections", operation_id="list_collections", responses=responses())
async def endpoint(caller: Reader, after: After = None, limit: PageSize = 50, name: Name = None) -> Listing[Collection]:
    """List the collections the caller is a member of, newest first."""
    return await run(list_collections, caller, after=after, limit=limit, name=name, collections=services().collections)


handler = handler_of(router, uses=("collections",))

"""GET /collections."""

from typing import Annotated

from modulo.domain.collection import Collection
from modulo.domain.value import Listing
from modulo.runtime.endpoint import After, APIRouter, PageSize, Query, Reader, handler_of, responses, run, services
from modulo.usecases.list_collections import list_collections

router = APIRouter()
Name = Annotated[str | None, Query(max_length=200, description="keeps those whose name contains it")]


@router.get("/collections", operation_id="list_collections", responses=responses())
async def endpoint(caller: Reader, after: After = None, limit: PageSize = 50, name: Name = None) -> Listing[Collection]:
    """List the collections the caller is a member of, newest first."""
    return await run(list_collections, caller, after=after, limit=limit, name=name, metadata=services().metadata)


handler = handler_of(router)

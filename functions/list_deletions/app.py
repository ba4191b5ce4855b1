"""GET /deletions."""

from modulo.domain.operations.deletion import Deletion
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import After, APIRouter, PageSize, Reader, handler_of, responses, run, services
from modulo.usecases.list_deletions import list_deletions

router = APIRouter(tags=["deletions"])


@router.get("/deletions", operation_id="list_deletions", responses=responses())
async def endpoint(caller: Reader, after: After = None, limit: PageSize = 50) -> Listing[Deletion]:
    """List the receipts of what the caller deleted, or owned when it was deleted, newest first."""
    return await run(list_deletions, caller, after=after, limit=limit, deletions=services().deletions)


handler = handler_of(router, uses=("deletions",))

"""GET /deletions/{deletion_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.domain.operations.deletion import Deletion
from modulo.runtime.endpoint import APIRouter, Reader, handler_of, responses, run, services
from modulo.usecases.get_deletion import get_deletion

router = APIRouter(tags=["deletions"])


@router.get("/deletions/{deletion_id}", operation_id="get_deletion", responses=responses(NotFound))
async def endpoint(caller: Reader, deletion_id: UUID) -> Deletion:
    """Show the receipt of a deletion that the caller asked for, or of what the caller owned."""
    return await run(get_deletion, caller, deletion_id, deletions=services().deletions)


handler = handler_of(router, uses=("deletions",))

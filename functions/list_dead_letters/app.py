"""GET /collections/{collection_id}/dead-letters."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.operations.dead_letter import DeadLetter, DeadLetterState
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import After, APIRouter, PageSize, Reader, handler_of, responses, run, services
from modulo.usecases.list_dead_letters import list_dead_letters

router = APIRouter(tags=["dead-letters"])


@router.get(
    "/collections/{collection_id}/dead-letters",
    operation_id="list_dead_letters",
    responses=responses(Forbidden, NotFound),
)
async def endpoint(
    caller: Reader, collection_id: UUID, after: After = None, limit: PageSize = 50, state: DeadLetterState | None = None
) -> Listing[DeadLetter]:
    """List the dead letters of a collection, newest first; needs an editor."""
    dead_letters = services().dead_letters
    return await run(
        list_dead_letters, caller, collection_id, after=after, limit=limit, state=state, dead_letters=dead_letters
    )


handler = handler_of(router, uses=("dead_letters",))

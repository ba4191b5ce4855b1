"""GET /collections/{collection_id}/dead-letters."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.letter import DeadLetters, LetterState
from modulo.runtime.endpoint import After, APIRouter, PageSize, Reader, handler_of, responses, run, services
from modulo.usecases.list_dead_letters import list_dead_letters

router = APIRouter()


@router.get(
    "/collections/{collection_id}/dead-letters",
    operation_id="list_dead_letters",
    responses=responses(Forbidden, NotFound),
)
async def endpoint(
    caller: Reader, collection_id: UUID, after: After = None, limit: PageSize = 50, state: LetterState | None = None
) -> DeadLetters:
    """List the messages about a collection that were given up, newest first; needs an editor."""
    metadata = services().metadata
    return await run(list_dead_letters, caller, collection_id, after=after, limit=limit, state=state, metadata=metadata)


handler = handler_of(router)

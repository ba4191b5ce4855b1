"""DELETE /collections/{collection_id}/dead-letters/{letter_id}."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.discard_dead_letter import discard_dead_letter

router = APIRouter(tags=["dead-letters"])


@router.delete(
    "/collections/{collection_id}/dead-letters/{letter_id}",
    operation_id="discard_dead_letter",
    status_code=204,
    responses=responses(Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, letter_id: UUID) -> None:
    """Discard a dead letter; the file or collection that it is about stays as it is."""
    await run(discard_dead_letter, caller, collection_id, letter_id, dead_letters=services().dead_letters)


handler = handler_of(router, uses=("dead_letters",))

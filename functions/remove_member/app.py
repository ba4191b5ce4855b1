"""DELETE /collections/{collection_id}/members/{user_id}."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.remove_member import remove_member

router = APIRouter(tags=["members"])


@router.delete(
    "/collections/{collection_id}/members/{user_id}",
    operation_id="remove_member",
    status_code=204,
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, user_id: UUID) -> None:
    """Remove a member from a collection."""
    await run(remove_member, caller, collection_id, user_id, members=services().members)


handler = handler_of(router, uses=("members",))

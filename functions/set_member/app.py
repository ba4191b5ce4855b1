"""PUT /collections/{collection_id}/members/{user_id}."""

from uuid import UUID

from modulo.domain.collections.member import Member, Membership
from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.domain.tenancy.identity import Role
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.set_member import set_member

router = APIRouter(tags=["members"])


@router.put(
    "/collections/{collection_id}/members/{user_id}",
    operation_id="set_member",
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, user_id: UUID, body: Membership) -> Member:
    """Make a user of the tenant an editor or a viewer of a collection."""
    return await run(set_member, caller, collection_id, user_id, Role(body.role), members=services().members)


handler = handler_of(router, uses=("members",))

"""GET /collections/{collection_id}/members."""

from uuid import UUID

from modulo.domain.collections.member import Member
from modulo.domain.errors import NotFound
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import AfterMember, APIRouter, PageSize, Reader, handler_of, responses, run, services
from modulo.usecases.list_members import list_members

router = APIRouter(tags=["members"])


@router.get("/collections/{collection_id}/members", operation_id="list_members", responses=responses(NotFound))
async def endpoint(
    caller: Reader, collection_id: UUID, after: AfterMember = None, limit: PageSize = 100
) -> Listing[Member]:
    """List the members of a collection with their roles, by role and name."""
    return await run(list_members, caller, collection_id, after=after, limit=limit, members=services().members)


handler = handler_of(router, uses=("members",))

"""GET /collections/{collection_id}/members."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.domain.transfer import Member
from modulo.domain.value import Listing
from modulo.runtime.endpoint import APIRouter, Reader, handler_of, responses, run, services
from modulo.usecases.list_members import list_members

router = APIRouter()


@router.get("/collections/{collection_id}/members", operation_id="list_members", responses=responses(NotFound))
async def endpoint(caller: Reader, collection_id: UUID) -> Listing[Member]:
    """List who may use a collection, and how."""
    return await run(list_members, caller, collection_id, metadata=services().metadata)


handler = handler_of(router)

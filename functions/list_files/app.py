"""GET /collections/{collection_id}/files."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.domain.files.file import File, Stage
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import After, APIRouter, PageSize, Reader, handler_of, responses, run, services
from modulo.usecases.list_files import list_files

router = APIRouter(tags=["files"])


@router.get("/collections/{collection_id}/files", operation_id="list_files", responses=responses(NotFound))
async def endpoint(
    caller: Reader, collection_id: UUID, after: After = None, limit: PageSize = 50, stage: Stage | None = None
) -> Listing[File]:
    """List a collection's files, newest first."""
    return await run(list_files, caller, collection_id, after=after, limit=limit, stage=stage, files=services().files)


handler = handler_of(router, uses=("files",))

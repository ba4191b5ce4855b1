"""GET /collections/{collection_id}/files/{file_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.domain.files.file import File
from modulo.runtime.endpoint import APIRouter, Reader, handler_of, responses, run, services
from modulo.usecases.get_file import get_file

router = APIRouter(tags=["files"])


@router.get("/collections/{collection_id}/files/{file_id}", operation_id="get_file", responses=responses(NotFound))
async def endpoint(caller: Reader, collection_id: UUID, file_id: UUID) -> File:
    """Show a file with its stage, its progress and, where it failed, the reason."""
    return await run(get_file, caller, collection_id, file_id, files=services().files)


handler = handler_of(router, uses=("files",))

"""GET /collections/{collection_id}/files/{file_id}/content."""

from uuid import UUID

from modulo.domain.errors import Conflict, NotFound
from modulo.domain.files.upload import Download
from modulo.runtime.endpoint import APIRouter, Reader, Response, handler_of, responses, run_external, services
from modulo.usecases.download_file import download_file

router = APIRouter(tags=["files"])
FOUND = {200: {"description": "The bytes, once the redirect was followed", "content": {"application/octet-stream": {}}}}


@router.get(
    "/collections/{collection_id}/files/{file_id}/content",
    operation_id="download_file",
    status_code=307,
    responses=responses(Conflict, NotFound) | FOUND,
)
async def endpoint(caller: Reader, collection_id: UUID, file_id: UUID, response: Response) -> Download:
    """Redirect to a URL from which the file can be downloaded for a limited time."""
    s = services()
    found = await run_external(
        download_file,
        caller,
        collection_id,
        file_id,
        files=s.files,
        blobs=s.blobs,
        clock=s.clock,
        presign_seconds=s.settings.presign_seconds,
    )
    response.headers["Location"] = found.url
    return found


handler = handler_of(router, uses=("files", "blobs", "clock"))

"""GET /collections/{collection_id}/files/{file_id}/content."""

from uuid import UUID

from modulo.domain.errors import Conflict, NotFound
from modulo.domain.upload import Download
from modulo.runtime.endpoint import APIRouter, Reader, Response, handler_of, responses, run, services
from modulo.usecases.download_file import download_file

router = APIRouter()


@router.get(
    "/collections/{collection_id}/files/{file_id}/content",
    operation_id="download_file",
    status_code=307,
    responses=responses(Conflict, NotFound),
)
async def endpoint(caller: Reader, collection_id: UUID, file_id: UUID, response: Response) -> Download:
    """Redirect to an address from which the file can be fetched for a while."""
    s = services()
    found = await run(
        download_file,
        caller,
        collection_id,
        file_id,
        metadata=s.metadata,
        blobs=s.blobs,
        clock=s.clock,
        presign_seconds=s.settings.presign_seconds,
    )
    response.headers["Location"] = found.url
    return found


handler = handler_of(router)

"""GET /v1/files/{file_id}/content."""

from uuid import UUID

from modulo.domain.errors import Conflict, NotFound
from modulo.domain.files.upload import Download
from modulo.runtime.endpoint import APIRouter, Reader, Response, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.usecases.download_user_file import download_user_file

router = APIRouter()
PROBLEMS = openai_responses(Conflict, NotFound)


@router.get("/files/{file_id}/content", operation_id="v1_get_file_content", status_code=307, responses=PROBLEMS)
async def endpoint(caller: Reader, file_id: UUID, response: Response) -> Download:
    """Redirect to a URL from which the file can be downloaded for a limited time."""
    s = services()
    found = await run_external(
        download_user_file,
        caller,
        file_id,
        user_files=s.user_files,
        files=s.files,
        blobs=s.blobs,
        clock=s.clock,
        presign_seconds=s.settings.presign_seconds,
    )
    response.headers["Location"] = found.url
    return found


handler = v1_handler_of(router, uses=("user_files", "files", "blobs", "clock"))

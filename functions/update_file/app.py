"""PATCH /collections/{collection_id}/files/{file_id}."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.files.file import File, FileChange
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.update_file import update_file

router = APIRouter(tags=["files"])
PATH = "/collections/{collection_id}/files/{file_id}"


@router.patch(PATH, operation_id="update_file", responses=responses(Forbidden, NotFound))
async def endpoint(caller: Writer, collection_id: UUID, file_id: UUID, body: FileChange) -> File:
    """Replace a file's attributes; nothing is embedded anew."""
    s = services()
    return await run(update_file, caller, collection_id, file_id, body, files=s.files, clock=s.clock)


handler = handler_of(router, uses=("files", "clock"))

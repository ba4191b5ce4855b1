"""GET /v1/files/{file_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.files import FileObject, file_answer
from modulo.usecases.get_user_file import get_user_file

router = APIRouter()


@router.get("/files/{file_id}", operation_id="v1_get_file", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, file_id: UUID) -> FileObject:
    """Show a file that the caller keeps, or one of a collection."""
    s = services()
    found = await run(get_user_file, caller, file_id, user_files=s.user_files, files=s.files, clock=s.clock)
    return file_answer(found)


handler = v1_handler_of(router, uses=("user_files", "files", "clock"))

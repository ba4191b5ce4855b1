"""GET /v1/files."""

from modulo.domain.files.user_file import Purpose
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.files import FileObject, file_answer
from modulo.runtime.openai.pages import FileWindowQuery, ListAnswer, list_answer
from modulo.usecases.list_user_files import list_user_files

router = APIRouter()


@router.get("/files", operation_id="v1_list_files", responses=openai_responses())
async def endpoint(caller: Reader, window: FileWindowQuery, purpose: Purpose | None = None) -> ListAnswer[FileObject]:
    """List the files that the caller keeps."""
    s = services()
    page = await run(list_user_files, caller, window, purpose=purpose, user_files=s.user_files, clock=s.clock)
    return list_answer(page, file_answer)


handler = v1_handler_of(router, uses=("user_files", "clock"))

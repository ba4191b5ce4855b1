"""DELETE /v1/files/{file_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.files import FileDeleted
from modulo.usecases.delete_user_file import delete_user_file

router = APIRouter()


@router.delete("/files/{file_id}", operation_id="v1_delete_file", responses=openai_responses(NotFound))
async def endpoint(caller: Writer, file_id: UUID) -> FileDeleted:
    """Delete a file that the caller keeps, and take it from all vector stores."""
    s = services()
    await run_external(
        delete_user_file,
        caller,
        file_id,
        user_files=s.user_files,
        files=s.files,
        purges=s.purges,
        clock=s.clock,
    )
    return FileDeleted(id=file_id)


handler = v1_handler_of(router, uses=("user_files", "files", "purges", "clock"))

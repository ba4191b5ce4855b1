"""POST /v1/files."""

from modulo.domain.errors import QuotaExceeded, TooLarge
from modulo.runtime.endpoint import APIRouter, Writer, announces, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.files import FORM, FileObject, SentFileForm, file_answer
from modulo.usecases.create_user_file import create_user_file

router = APIRouter(dependencies=announces("user_files", "storage_bytes"))
PROBLEMS = openai_responses(QuotaExceeded, TooLarge)


@router.post("/files", operation_id="v1_create_file", responses=PROBLEMS, openapi_extra=FORM)
async def endpoint(caller: Writer, file: SentFileForm) -> FileObject:
    """Keep a file, to be attached to vector stores."""
    s = services()
    limits = s.upload_limits(s.settings.max_upload_bytes)
    made = await run_external(
        create_user_file, caller, file, user_files=s.user_files, blobs=s.blobs, clock=s.clock, limits=limits
    )
    return file_answer(made)


handler = v1_handler_of(router, uses=("user_files", "blobs", "clock"))

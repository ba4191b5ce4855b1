"""POST /v1/uploads."""

from modulo.domain.errors import QuotaExceeded, TooLarge
from modulo.runtime.endpoint import APIRouter, Writer, announces, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.uploads import CreateUpload, Upload, upload_answer
from modulo.usecases.create_part_upload import create_part_upload

router = APIRouter(dependencies=announces("user_files", "storage_bytes"))
PROBLEMS = openai_responses(QuotaExceeded, TooLarge)


@router.post("/uploads", operation_id="v1_create_upload", responses=PROBLEMS)
async def endpoint(caller: Writer, body: CreateUpload) -> Upload:
    """Begin to upload a file in parts."""
    s = services()
    limits = s.upload_limits(s.settings.max_file_bytes)
    begun = await run(
        create_part_upload, caller, body.wanted(), part_uploads=s.part_uploads, clock=s.clock, limits=limits
    )
    return upload_answer(begun)


handler = v1_handler_of(router, uses=("part_uploads", "clock"))

"""POST /v1/uploads/{upload_id}/complete."""

from uuid import UUID

from modulo.domain.errors import Conflict, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.uploads import CompleteUpload, Upload, upload_answer
from modulo.usecases.complete_part_upload import complete_part_upload

router = APIRouter()
PATH = "/uploads/{upload_id}/complete"


@router.post(PATH, operation_id="v1_complete_upload", responses=openai_responses(Conflict, NotFound))
async def endpoint(caller: Writer, upload_id: UUID, body: CompleteUpload) -> Upload:
    """Put the parts of an upload together to a file."""
    s = services()
    complete = await run_external(
        complete_part_upload,
        caller,
        upload_id,
        body.part_ids,
        body.md5,
        part_uploads=s.part_uploads,
        blobs=s.blobs,
        purges=s.purges,
        clock=s.clock,
    )
    return upload_answer(complete)


handler = v1_handler_of(router, uses=("part_uploads", "blobs", "purges", "clock"))

"""POST /v1/uploads/{upload_id}/parts."""

from uuid import UUID

from modulo.domain.errors import Conflict, NotFound, TooLarge
from modulo.runtime.endpoint import APIRouter, Writer, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.uploads import PART_FORM, PartForm, UploadPart, part_answer
from modulo.usecases.add_upload_part import add_upload_part

router = APIRouter()
PATH = "/uploads/{upload_id}/parts"
PROBLEMS = openai_responses(Conflict, NotFound, TooLarge)


@router.post(PATH, operation_id="v1_add_upload_part", responses=PROBLEMS, openapi_extra=PART_FORM)
async def endpoint(caller: Writer, upload_id: UUID, data: PartForm) -> UploadPart:
    """Add a part to an upload; several may be sent at once."""
    s = services()
    part_id = await run_external(
        add_upload_part,
        caller,
        upload_id,
        data,
        part_uploads=s.part_uploads,
        blobs=s.blobs,
        clock=s.clock,
        max_bytes=s.settings.max_upload_bytes,
    )
    return part_answer(upload_id, part_id, s.clock.now())


handler = v1_handler_of(router, uses=("part_uploads", "blobs", "clock"))

"""POST /v1/uploads/{upload_id}/cancel."""

from uuid import UUID

from modulo.domain.errors import Conflict, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.uploads import Upload, upload_answer
from modulo.usecases.cancel_part_upload import cancel_part_upload

router = APIRouter()
PATH = "/uploads/{upload_id}/cancel"


@router.post(PATH, operation_id="v1_cancel_upload", responses=openai_responses(Conflict, NotFound))
async def endpoint(caller: Writer, upload_id: UUID) -> Upload:
    """Give an upload up; no part may be added any more."""
    s = services()
    given_up = await run_external(
        cancel_part_upload, caller, upload_id, part_uploads=s.part_uploads, purges=s.purges, clock=s.clock
    )
    return upload_answer(given_up, "cancelled")


handler = v1_handler_of(router, uses=("part_uploads", "purges", "clock"))

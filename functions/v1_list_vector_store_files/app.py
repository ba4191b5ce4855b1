"""GET /v1/vector_stores/{vector_store_id}/files."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.pages import ListAnswer, WindowQuery, list_answer
from modulo.runtime.openai.store_files import StatusFilter, StoreFile, stages_of, store_file_answer
from modulo.usecases.page_files import page_files

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}/files"


@router.get(PATH, operation_id="v1_list_vector_store_files", responses=openai_responses(NotFound))
async def endpoint(
    caller: Reader, vector_store_id: UUID, window: WindowQuery, status: StatusFilter = None
) -> ListAnswer[StoreFile]:
    """List a collection's files."""
    page = await run(page_files, caller, vector_store_id, window, stages=stages_of(status), files=services().files)
    return list_answer(page, store_file_answer)


handler = v1_handler_of(router, uses=("files",))

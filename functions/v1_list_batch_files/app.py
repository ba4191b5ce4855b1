"""GET /v1/vector_stores/{vector_store_id}/file_batches/{batch_id}/files."""

from functools import partial
from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.file_batches import entry_answer, entry_state
from modulo.runtime.openai.pages import ListAnswer, WindowQuery, list_answer
from modulo.runtime.openai.store_files import StatusFilter, StoreFile
from modulo.usecases.get_file_batch import get_file_batch

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}/file_batches/{batch_id}/files"


@router.get(PATH, operation_id="v1_list_batch_files", responses=openai_responses(NotFound))
async def endpoint(
    caller: Reader, vector_store_id: UUID, batch_id: UUID, window: WindowQuery, status: StatusFilter = None
) -> ListAnswer[StoreFile]:
    """List the files of a batch, by the order in which they were given, with what became of each."""
    s = services()
    batch = await run(get_file_batch, caller, vector_store_id, batch_id, file_batches=s.file_batches, clock=s.clock)
    page = batch.page(window, entry_state(status))
    return list_answer(page, partial(entry_answer, collection_id=vector_store_id))


handler = v1_handler_of(router, uses=("file_batches", "clock"))

"""GET /v1/vector_stores/{vector_store_id}/file_batches/{batch_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.file_batches import VectorStoreFileBatch, batch_answer
from modulo.usecases.get_file_batch import get_file_batch

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}/file_batches/{batch_id}"


@router.get(PATH, operation_id="v1_get_file_batch", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, vector_store_id: UUID, batch_id: UUID) -> VectorStoreFileBatch:
    """Count what became of the files of a batch so far."""
    s = services()
    found = await run(get_file_batch, caller, vector_store_id, batch_id, file_batches=s.file_batches, clock=s.clock)
    return batch_answer(found)


handler = v1_handler_of(router, uses=("file_batches", "clock"))

"""POST /v1/vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.file_batches import VectorStoreFileBatch, batch_answer
from modulo.usecases.cancel_file_batch import cancel_file_batch

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel"


@router.post(PATH, operation_id="v1_cancel_file_batch", responses=openai_responses(Forbidden, NotFound))
async def endpoint(caller: Writer, vector_store_id: UUID, batch_id: UUID) -> VectorStoreFileBatch:
    """Take the files of a batch out again that nobody has begun to read."""
    s = services()
    cancelled = await run_external(
        cancel_file_batch,
        caller,
        vector_store_id,
        batch_id,
        file_batches=s.file_batches,
        purges=s.purges,
        clock=s.clock,
    )
    return batch_answer(cancelled)


handler = v1_handler_of(router, uses=("file_batches", "purges", "clock"))

"""POST /v1/vector_stores/{vector_store_id}/file_batches."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, announces, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.file_batches import CreateFileBatch, VectorStoreFileBatch, batch_answer
from modulo.usecases.create_file_batch import BatchPorts, create_file_batch
from modulo.usecases.get_collection import get_collection

router = APIRouter(dependencies=announces("files", "storage_bytes"))
PATH = "/vector_stores/{vector_store_id}/file_batches"


@router.post(PATH, operation_id="v1_create_file_batch", responses=openai_responses(Forbidden, NotFound))
async def endpoint(caller: Writer, vector_store_id: UUID, body: CreateFileBatch) -> VectorStoreFileBatch:
    """Attach several files to a collection, which ingests them."""
    s = services()
    collection = await run_external(get_collection, caller, vector_store_id, collections=s.collections)
    batch = body.batch(collection.chunking)
    ports = BatchPorts(
        file_batches=s.file_batches, user_files=s.user_files, uploads=s.uploads, blobs=s.blobs, clock=s.clock
    )
    limits = s.upload_limits(s.settings.max_file_bytes)
    return batch_answer(
        await run_external(create_file_batch, caller, vector_store_id, batch, ports=ports, limits=limits)
    )


handler = v1_handler_of(router, uses=("collections", "file_batches", "user_files", "uploads", "blobs", "clock"))

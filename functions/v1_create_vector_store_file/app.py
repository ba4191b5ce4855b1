"""POST /v1/vector_stores/{vector_store_id}/files."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded
from modulo.runtime.endpoint import APIRouter, Writer, announces, run, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.store_files import AttachFile, StoreFile, require_chunking, store_file_answer
from modulo.usecases.attach_file import attach_file
from modulo.usecases.get_collection import get_collection

router = APIRouter(dependencies=announces("files", "storage_bytes"))
PATH = "/vector_stores/{vector_store_id}/files"
PROBLEMS = openai_responses(Conflict, Forbidden, NotFound, QuotaExceeded)


@router.post(PATH, operation_id="v1_create_vector_store_file", responses=PROBLEMS)
async def endpoint(caller: Writer, vector_store_id: UUID, body: AttachFile) -> StoreFile:
    """Attach a file to a collection, which ingests it."""
    s = services()
    collection = await run(get_collection, caller, vector_store_id, collections=s.collections)
    require_chunking(body.chunking_strategy, collection.chunking)
    made = await run_external(
        attach_file,
        caller,
        vector_store_id,
        body.file_id,
        user_files=s.user_files,
        uploads=s.uploads,
        blobs=s.blobs,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_file_bytes),
        attributes=body.attributes,
    )
    return store_file_answer(made)


handler = v1_handler_of(router, uses=("collections", "user_files", "uploads", "blobs", "clock"))

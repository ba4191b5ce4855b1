"""POST /v1/vector_stores."""

from modulo.domain.errors import Conflict, NotFound, QuotaExceeded
from modulo.runtime.endpoint import APIRouter, Writer, announces, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.vector_stores import CreateVectorStore, VectorStore, vector_store_answer
from modulo.usecases.create_filled_collection import FillPorts, create_filled_collection

router = APIRouter(dependencies=announces("collections"))
PROBLEMS = openai_responses(Conflict, NotFound, QuotaExceeded)


@router.post("/vector_stores", operation_id="v1_create_vector_store", responses=PROBLEMS)
async def endpoint(caller: Writer, body: CreateVectorStore) -> VectorStore:
    """Create a collection, and attach files to it."""
    s = services()
    ports = FillPorts(s.collections, s.user_files, uploads=s.uploads, blobs=s.blobs, clock=s.clock)
    made = await run_external(
        create_filled_collection,
        caller,
        body.collection(),
        body.file_ids,
        ports=ports,
        embedding_model=s.settings.embedding_model,
        limits=s.upload_limits(s.settings.max_file_bytes),
        max_top_k=s.settings.max_top_k,
    )
    return vector_store_answer(made, s.clock.now())


handler = v1_handler_of(router, uses=("collections", "user_files", "uploads", "blobs", "clock"))

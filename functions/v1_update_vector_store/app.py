"""POST /v1/vector_stores/{vector_store_id}."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.vector_stores import UpdateVectorStore, VectorStore, vector_store_answer
from modulo.usecases.update_collection import update_collection

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}"
PROBLEMS = openai_responses(Conflict, Forbidden, NotFound)


@router.post(PATH, operation_id="v1_update_vector_store", responses=PROBLEMS)
async def endpoint(caller: Writer, vector_store_id: UUID, body: UpdateVectorStore) -> VectorStore:
    """Rename a collection, or change its metadata or its expiry."""
    s = services()
    change = body.change()
    made = await run(
        update_collection,
        caller,
        vector_store_id,
        change,
        collections=s.collections,
        clock=s.clock,
        max_top_k=s.settings.max_top_k,
    )
    return vector_store_answer(made, s.clock.now())


handler = v1_handler_of(router, uses=("collections", "clock"))

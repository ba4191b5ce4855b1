"""GET /v1/vector_stores/{vector_store_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.vector_stores import VectorStore, vector_store_answer
from modulo.usecases.get_collection import get_collection

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}"


@router.get(PATH, operation_id="v1_get_vector_store", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, vector_store_id: UUID) -> VectorStore:
    """Show a collection."""
    s = services()
    found = await run(get_collection, caller, vector_store_id, collections=s.collections)
    return vector_store_answer(found, s.clock.now())


handler = v1_handler_of(router, uses=("collections", "clock"))

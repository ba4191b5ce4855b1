"""DELETE /v1/vector_stores/{vector_store_id}."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.vector_stores import VectorStoreDeleted
from modulo.usecases.delete_collection import delete_collection

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}"


@router.delete(PATH, operation_id="v1_delete_vector_store", responses=openai_responses(Forbidden, NotFound))
async def endpoint(caller: Writer, vector_store_id: UUID) -> VectorStoreDeleted:
    """Delete a collection; the files that were attached to it stay."""
    s = services()
    await run_external(
        delete_collection, caller, vector_store_id, collections=s.collections, purges=s.purges, clock=s.clock
    )
    return VectorStoreDeleted(id=vector_store_id)


handler = v1_handler_of(router, uses=("collections", "purges", "clock"))

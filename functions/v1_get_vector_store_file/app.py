"""GET /v1/vector_stores/{vector_store_id}/files/{file_id}."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.store_files import StoreFile, store_file_answer
from modulo.usecases.get_file import get_file

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}/files/{file_id}"


@router.get(PATH, operation_id="v1_get_vector_store_file", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, vector_store_id: UUID, file_id: UUID) -> StoreFile:
    """Show a collection's file, and why it failed if it did."""
    return store_file_answer(await run(get_file, caller, vector_store_id, file_id, files=services().files))


handler = v1_handler_of(router, uses=("files",))

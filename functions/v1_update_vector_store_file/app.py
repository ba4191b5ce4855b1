"""POST /v1/vector_stores/{vector_store_id}/files/{file_id}."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.store_files import StoreFile, UpdateStoreFile, store_file_answer
from modulo.usecases.get_file import get_file
from modulo.usecases.update_file import update_file

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}/files/{file_id}"


@router.post(PATH, operation_id="v1_update_vector_store_file", responses=openai_responses(Forbidden, NotFound))
async def endpoint(caller: Writer, vector_store_id: UUID, file_id: UUID, body: UpdateStoreFile) -> StoreFile:
    """Replace the attributes of a collection's file; nothing is embedded anew."""
    s = services()
    file = await run(get_file, caller, vector_store_id, file_id, files=s.files)
    changed = await run(update_file, caller, vector_store_id, file.id, body.change(), files=s.files, clock=s.clock)
    return store_file_answer(changed)


handler = v1_handler_of(router, uses=("files", "clock"))

"""DELETE /v1/vector_stores/{vector_store_id}/files/{file_id}."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, Writer, run, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.store_files import StoreFileDeleted
from modulo.usecases.delete_file import delete_file
from modulo.usecases.get_file import get_file

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}/files/{file_id}"


@router.delete(PATH, operation_id="v1_delete_vector_store_file", responses=openai_responses(Forbidden, NotFound))
async def endpoint(caller: Writer, vector_store_id: UUID, file_id: UUID) -> StoreFileDeleted:
    """Take a file from a collection; the file that it is a copy of stays."""
    s = services()
    copy = await run(get_file, caller, vector_store_id, file_id, files=s.files)
    await run_external(delete_file, caller, vector_store_id, copy.id, files=s.files, purges=s.purges, clock=s.clock)
    return StoreFileDeleted(id=file_id)


handler = v1_handler_of(router, uses=("files", "purges", "clock"))

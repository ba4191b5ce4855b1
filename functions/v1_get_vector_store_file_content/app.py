"""GET /v1/vector_stores/{vector_store_id}/files/{file_id}/content."""

from uuid import UUID

from modulo.domain.errors import Conflict, NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.store_files import Texts, texts_answer
from modulo.usecases.get_file_text import get_file_text

router = APIRouter()
PATH = "/vector_stores/{vector_store_id}/files/{file_id}/content"
PROBLEMS = openai_responses(Conflict, NotFound)


@router.get(PATH, operation_id="v1_get_vector_store_file_content", responses=PROBLEMS)
async def endpoint(caller: Reader, vector_store_id: UUID, file_id: UUID) -> Texts:
    """Show the text of a collection's file, chunk by chunk."""
    s = services()
    found = await run_external(
        get_file_text, caller, vector_store_id, file_id, files=s.files, grants=s.grants, vectors=s.vectors
    )
    return texts_answer(found)


handler = v1_handler_of(router, uses=("files", "grants", "vectors"))

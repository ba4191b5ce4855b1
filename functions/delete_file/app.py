"""DELETE /collections/{collection_id}/files/{file_id}."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.operations.deletion import DeletionRequested
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run_external, services
from modulo.usecases.delete_file import delete_file

router = APIRouter(tags=["files"])


@router.delete(
    "/collections/{collection_id}/files/{file_id}",
    operation_id="delete_file",
    status_code=202,
    responses=responses(Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, file_id: UUID) -> DeletionRequested:
    """Delete a file: it is invisible at once, to searches too, and everything of it is removed shortly."""
    s = services()
    return await run_external(
        delete_file, caller, collection_id, file_id, files=s.files, purges=s.purges, clock=s.clock
    )


handler = handler_of(router, uses=("files", "purges", "clock"))

"""POST /collections/{collection_id}/files/{file_id}/retry."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.domain.upload import UploadReceipt
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.retry_file import retry_file

router = APIRouter()


@router.post(
    "/collections/{collection_id}/files/{file_id}/retry",
    operation_id="retry_file",
    status_code=202,
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, file_id: UUID) -> UploadReceipt:
    """Ingest a failed file again, without sending its bytes anew."""
    s = services()
    return await run(retry_file, caller, collection_id, file_id, metadata=s.metadata, blobs=s.blobs, ingests=s.ingests)


handler = handler_of(router)

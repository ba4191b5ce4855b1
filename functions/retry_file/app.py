"""POST /collections/{collection_id}/files/{file_id}/retry."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.domain.files.upload import UploadReceipt
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run_external, services
from modulo.usecases.retry_file import RetryPorts, retry_file

router = APIRouter(tags=["files"])


@router.post(
    "/collections/{collection_id}/files/{file_id}/retry",
    operation_id="retry_file",
    status_code=202,
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, file_id: UUID) -> UploadReceipt:
    """Ingest a failed file again, without another upload."""
    s = services()
    ports = RetryPorts(
        ingestion=s.ingestion,
        fetching=s.fetching,
        blobs=s.blobs,
        ingests=s.ingests,
        fetches=s.fetches,
        clock=s.clock,
        deadline_seconds=s.settings.ingest_deadline_seconds,
    )
    return await run_external(
        retry_file,
        caller,
        collection_id,
        file_id,
        files=s.files,
        collections=s.collections,
        ports=ports,
    )


handler = handler_of(
    router, uses=("files", "collections", "ingestion", "fetching", "blobs", "ingests", "fetches", "clock")
)

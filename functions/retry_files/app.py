"""POST /collections/{collection_id}/retry."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.files.upload import UploadReceipt
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import After, APIRouter, PageSize, Writer, handler_of, responses, run_external, services
from modulo.usecases.retry_file import RetryPorts
from modulo.usecases.retry_files import retry_files

router = APIRouter(tags=["files"])
PROBLEMS = responses(Forbidden, NotFound)


@router.post("/collections/{collection_id}/retry", operation_id="retry_files", status_code=202, responses=PROBLEMS)
async def endpoint(
    caller: Writer, collection_id: UUID, after: After = None, limit: PageSize = 50
) -> Listing[UploadReceipt]:
    """Ingest a page of the failed files again: those that a retry can help."""
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
        retry_files,
        caller,
        collection_id,
        after=after,
        limit=limit,
        files=s.files,
        collections=s.collections,
        ports=ports,
    )


handler = handler_of(
    router, uses=("files", "collections", "ingestion", "fetching", "blobs", "ingests", "fetches", "clock")
)

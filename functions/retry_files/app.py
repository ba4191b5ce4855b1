"""POST /collections/{collection_id}/retry."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.upload import UploadReceipt
from modulo.domain.value import Listing
from modulo.runtime.endpoint import After, APIRouter, PageSize, Writer, handler_of, responses, run, services
from modulo.usecases.retry_files import retry_files

router = APIRouter()


@router.post(
    "/collections/{collection_id}/retry",
    operation_id="retry_files",
    status_code=202,
    responses=responses(Forbidden, NotFound),
)
async def endpoint(
    caller: Writer, collection_id: UUID, after: After = None, limit: PageSize = 50
) -> Listing[UploadReceipt]:
    """Ingest a page of the failed files again: those that a retry can help."""
    s = services()
    return await run(
        retry_files,
        caller,
        collection_id,
        after=after,
        limit=limit,
        metadata=s.metadata,
        blobs=s.blobs,
        ingests=s.ingests,
    )


handler = handler_of(router)

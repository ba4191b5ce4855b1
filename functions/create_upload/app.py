"""POST /collections/{collection_id}/uploads."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge
from modulo.domain.upload import NewUpload, UploadTicket
from modulo.runtime.endpoint import APIRouter, IdempotencyKey, Writer, handler_of, responses, run, services
from modulo.usecases.create_upload import create_upload

router = APIRouter()
PROBLEMS = responses(Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge)


@router.post("/collections/{collection_id}/uploads", operation_id="create_upload", status_code=201, responses=PROBLEMS)
async def endpoint(
    caller: Writer, collection_id: UUID, body: NewUpload, idempotency_key: IdempotencyKey = None
) -> UploadTicket:
    """Prepare an upload that goes straight to the object store."""
    s = services()
    return await run(
        create_upload,
        caller,
        collection_id,
        body,
        idempotency_key=idempotency_key,
        metadata=s.metadata,
        blobs=s.blobs,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_file_bytes),
    )


handler = handler_of(router)

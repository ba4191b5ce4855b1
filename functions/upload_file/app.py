"""POST /collections/{collection_id}/files."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge
from modulo.domain.upload import UploadReceipt
from modulo.runtime.endpoint import APIRouter, IdempotencyKey, UploadFile, Writer, handler_of, responses, run, services
from modulo.usecases.upload_file import upload_file

router = APIRouter()
PROBLEMS = responses(Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge)


@router.post("/collections/{collection_id}/files", operation_id="upload_file", status_code=202, responses=PROBLEMS)
async def endpoint(
    caller: Writer, collection_id: UUID, file: UploadFile, idempotency_key: IdempotencyKey = None
) -> UploadReceipt:
    """Upload a small file in the request itself; larger ones go through an upload form."""
    s = services()
    return await run(
        upload_file,
        caller,
        collection_id,
        file.filename or "",
        await file.read(),
        idempotency_key=idempotency_key,
        metadata=s.metadata,
        blobs=s.blobs,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_upload_bytes),
    )


handler = handler_of(router)

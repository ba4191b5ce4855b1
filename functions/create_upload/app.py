"""POST /collections/{collection_id}/uploads."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge
from modulo.domain.files.upload import NewUpload, UploadTicket
from modulo.runtime.endpoint import (
    APIRouter,
    IdempotencyKey,
    Response,
    Writer,
    announces,
    handler_of,
    responses,
    run_external,
    services,
    set_duplicate_status,
)
from modulo.usecases.create_upload import create_upload

router = APIRouter(tags=["files"], dependencies=announces("files", "storage_bytes"))
ANSWERS = responses(Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge) | {200: {"model": UploadTicket}}


@router.post("/collections/{collection_id}/uploads", operation_id="create_upload", status_code=201, responses=ANSWERS)
async def endpoint(
    caller: Writer, response: Response, collection_id: UUID, body: NewUpload, idempotency_key: IdempotencyKey = None
) -> UploadTicket:
    """Prepare an upload that goes directly to the object store."""
    s = services()
    ticket = await run_external(
        create_upload,
        caller,
        collection_id,
        body,
        idempotency_key=idempotency_key,
        uploads=s.uploads,
        blobs=s.blobs,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_file_bytes),
    )
    set_duplicate_status(response, ticket.duplicate_of)
    return ticket


handler = handler_of(router, uses=("uploads", "blobs", "clock"))

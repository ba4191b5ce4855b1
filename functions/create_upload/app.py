"""POST /collections/{collection_id}/uploads."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge
from modulo.domain.upload import NewUpload, UploadTicket
from modulo.runtime.endpoint import APIRouter, IdempotencyKey, Response, Writer, handler_of, responses, run, services
from modulo.usecases.create_upload import create_upload

router = APIRouter()
ANSWERS = responses(Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge) | {200: {"model": UploadTicket}}


@router.post("/collections/{collection_id}/uploads", operation_id="create_upload", status_code=201, responses=ANSWERS)
async def endpoint(
    caller: Writer, response: Response, collection_id: UUID, body: NewUpload, idempotency_key: IdempotencyKey = None
) -> UploadTicket:
    """Prepare an upload that goes straight to the object store."""
    s = services()
    ticket = await run(
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
    response.status_code = {None: 201}.get(ticket.duplicate_of, 200)
    return ticket


handler = handler_of(router)

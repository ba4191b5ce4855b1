"""POST /collections/{collection_id}/documents."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded
from modulo.domain.files.document_text import NewDocument
from modulo.domain.files.upload import UploadReceipt
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
from modulo.usecases.add_document import add_document

router = APIRouter(tags=["files"], dependencies=announces("files", "storage_bytes"))
ANSWERS = responses(Conflict, Forbidden, NotFound, QuotaExceeded) | {200: {"model": UploadReceipt}}


@router.post("/collections/{collection_id}/documents", operation_id="add_document", status_code=202, responses=ANSWERS)
async def endpoint(
    caller: Writer, response: Response, collection_id: UUID, body: NewDocument, idempotency_key: IdempotencyKey = None
) -> UploadReceipt:
    """Ingest a text like a file; the same name again makes a new generation."""
    s = services()
    receipt = await run_external(
        add_document,
        caller,
        collection_id,
        body,
        idempotency_key=idempotency_key,
        uploads=s.uploads,
        blobs=s.blobs,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_upload_bytes),
    )
    set_duplicate_status(response, receipt.duplicate_of)
    return receipt


handler = handler_of(router, uses=("uploads", "blobs", "clock"))

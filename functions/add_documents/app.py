"""POST /collections/{collection_id}/documents/batch."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.files.document_text import AddedDocuments, NewDocuments
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
    set_batch_status,
)
from modulo.usecases.add_documents import add_documents

router = APIRouter(tags=["files"], dependencies=announces("files", "storage_bytes"))
PATH = "/collections/{collection_id}/documents/batch"
ANSWERS = responses(Forbidden, NotFound) | {207: {"model": AddedDocuments, "description": "Some or all failed"}}


@router.post(PATH, operation_id="add_documents", status_code=202, responses=ANSWERS)
async def endpoint(
    caller: Writer, response: Response, collection_id: UUID, body: NewDocuments, idempotency_key: IdempotencyKey = None
) -> AddedDocuments:
    """Ingest up to 100 texts, each with a result of its own."""
    s = services()
    added = await run_external(
        add_documents,
        caller,
        collection_id,
        body,
        idempotency_key=idempotency_key,
        uploads=s.uploads,
        blobs=s.blobs,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_upload_bytes),
    )
    set_batch_status(response, failed=added.failed)
    return added


handler = handler_of(router, uses=("uploads", "blobs", "clock"))

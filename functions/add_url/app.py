"""POST /collections/{collection_id}/urls."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded
from modulo.domain.files.upload import UploadReceipt
from modulo.domain.files.web import NewUrl
from modulo.runtime.endpoint import (
    APIRouter,
    IdempotencyKey,
    Writer,
    announces,
    handler_of,
    responses,
    run_external,
    services,
)
from modulo.usecases.add_url import add_url

router = APIRouter(tags=["files"], dependencies=announces("files", "storage_bytes"))
PROBLEMS = responses(Conflict, Forbidden, NotFound, QuotaExceeded)


@router.post("/collections/{collection_id}/urls", operation_id="add_url", status_code=202, responses=PROBLEMS)
async def endpoint(
    caller: Writer, collection_id: UUID, body: NewUrl, idempotency_key: IdempotencyKey = None
) -> UploadReceipt:
    """Fetch and ingest the content of a public URL; the same name again makes a new generation."""
    s = services()
    return await run_external(
        add_url,
        caller,
        collection_id,
        body,
        idempotency_key=idempotency_key,
        uploads=s.uploads,
        fetches=s.fetches,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_url_bytes),
    )


handler = handler_of(router, uses=("uploads", "fetches", "clock"))

"""POST /collections/{collection_id}/files."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge
from modulo.domain.files.upload import UploadReceipt
from modulo.runtime.endpoint import (
    APIRouter,
    Response,
    Writer,
    announces,
    handler_of,
    responses,
    run_external,
    services,
    set_duplicate_status,
)
from modulo.runtime.upload_form import SmallFile
from modulo.usecases.upload_file import upload_file

router = APIRouter(tags=["files"], dependencies=announces("files", "storage_bytes"))
ANSWERS = responses(Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge) | {200: {"model": UploadReceipt}}


@router.post("/collections/{collection_id}/files", operation_id="upload_file", status_code=202, responses=ANSWERS)
async def endpoint(caller: Writer, response: Response, collection_id: UUID, file: SmallFile) -> UploadReceipt:
    """Upload a small file in the request itself; larger ones use a presigned upload form."""
    s = services()
    receipt = await run_external(
        upload_file,
        caller,
        collection_id,
        file,
        uploads=s.uploads,
        blobs=s.blobs,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_upload_bytes),
    )
    set_duplicate_status(response, receipt.duplicate_of)
    return receipt


handler = handler_of(router, uses=("uploads", "blobs", "clock"))

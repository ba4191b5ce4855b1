"""POST /collections/{collection_id}/files."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge
from modulo.domain.upload import UploadReceipt
from modulo.runtime.endpoint import APIRouter, Response, SmallFile, Writer, handler_of, responses, run, services
from modulo.usecases.upload_file import upload_file

router = APIRouter()
ANSWERS = responses(Conflict, Forbidden, NotFound, QuotaExceeded, TooLarge) | {200: {"model": UploadReceipt}}


@router.post("/collections/{collection_id}/files", operation_id="upload_file", status_code=202, responses=ANSWERS)
async def endpoint(caller: Writer, response: Response, collection_id: UUID, file: SmallFile) -> UploadReceipt:
    """Upload a small file in the request itself; larger ones go through an upload form."""
    s = services()
    receipt = await run(
        upload_file,
        caller,
        collection_id,
        file,
        metadata=s.metadata,
        blobs=s.blobs,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_upload_bytes),
    )
    response.status_code = {None: 202}.get(receipt.duplicate_of, 200)
    return receipt


handler = handler_of(router)

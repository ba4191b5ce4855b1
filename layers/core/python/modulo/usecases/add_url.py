"""Have the content of an address ingested."""

from uuid import UUID

from modulo.domain.errors import UnsupportedFile
from modulo.domain.file import Stage
from modulo.domain.identity import Principal
from modulo.domain.media import media_type_of
from modulo.domain.transfer import FetchRequest
from modulo.domain.upload import NewUpload, UploadReceipt
from modulo.domain.web import NewUrl, checked_url, name_of
from modulo.ports import Clock, Metadata, Queue
from modulo.usecases.create_upload import UploadLimits, file_ref, reserve

UNKNOWN_TYPE = "application/octet-stream"


def add_url(
    principal: Principal,
    collection_id: UUID,
    request: NewUrl,
    *,
    idempotency_key: str | None,
    metadata: Metadata,
    fetches: Queue,
    clock: Clock,
    limits: UploadLimits,
) -> UploadReceipt:
    """Reserve a file and queue the fetching of its bytes, which are charged once their number is known.

    Raises:
        InvalidRequest, RefusedUrl: the address is none, or not one that may be fetched.
        UnsupportedFile: the name given is that of a file which cannot be read.
        QuotaExceeded: no file more fits.
    """
    url = checked_url(request.url)
    name = request.name or name_of(url)
    file = reserve(
        principal,
        collection_id,
        NewUpload(name=name, size_bytes=0),
        media_type=_expected(name, given=request.name is not None),
        source_url=url,
        idempotency_key=idempotency_key,
        metadata=metadata,
        clock=clock,
        limits=limits,
    )
    ref = file_ref(principal, file)
    if file.stage is Stage.awaiting_upload:
        fetches.send(FetchRequest(ref).body())
    return UploadReceipt(file_id=file.id, task_id=ref.task_id, generation=file.generation)


def _expected(name: str, *, given: bool) -> str:
    """The media type by the name; one without an extension is known when the bytes are there."""
    try:
        return media_type_of(name, None)
    except UnsupportedFile:
        if given and "." in name:
            raise
        return UNKNOWN_TYPE

"""Ingest the content of a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import UnsupportedFile
from modulo.domain.files.file import Stage
from modulo.domain.files.media import media_type_of
from modulo.domain.files.upload import NewUpload, UploadReceipt
from modulo.domain.files.web import name_from_url, require_public_url
from modulo.domain.operations.messages import FetchRequest
from modulo.usecases.create_upload import file_ref, reserve

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.web import NewUrl
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.uploads import Uploads
    from modulo.ports.queue import Queue
    from modulo.usecases.create_upload import UploadLimits

UNKNOWN_TYPE = "application/octet-stream"


def add_url(
    principal: Principal,
    collection_id: UUID,
    request: NewUrl,
    *,
    idempotency_key: str | None,
    uploads: Uploads,
    fetches: Queue,
    clock: Clock,
    limits: UploadLimits,
) -> UploadReceipt:
    """Reserve a file and queue the download of its bytes, which are charged once their number is known.

    Raises:
        InvalidRequest, RefusedUrl: it is no URL, or not one that may be fetched.
        UnsupportedFile: the given name is of a type that cannot be read.
        QuotaExceeded: the collection holds as many files as it may.
    """
    url = require_public_url(request.url)
    name = name_from_url(url) if request.name is None else request.name
    file = reserve(
        principal,
        collection_id,
        NewUpload(name=name, size_bytes=0, attributes=request.attributes),
        media_type=_expected(name, given=request.name is not None),
        source_url=url,
        idempotency_key=idempotency_key,
        uploads=uploads,
        clock=clock,
        limits=limits,
    )
    ref = file_ref(principal, file)
    if file.stage is Stage.fetching:
        fetches.send(FetchRequest(ref).body())
    return UploadReceipt(file_id=file.id, task_id=ref.task_id, generation=file.generation, url=file.url)


def _expected(name: str, *, given: bool) -> str:
    """The media type by the name; without an extension it is detected once the bytes are there."""
    try:
        return media_type_of(name, None)
    except UnsupportedFile:
        if given and "." in name:
            raise
        return UNKNOWN_TYPE

"""Upload a small file in the request itself."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from modulo.domain.errors import EmptyFile
from modulo.domain.files.file import Stage
from modulo.domain.files.media import HEAD_BYTES, media_type_of
from modulo.domain.files.upload import NewUpload, UploadReceipt
from modulo.usecases.create_upload import file_ref, name_of_duplicate, reserve

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.upload import SentFile
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.uploads import Uploads
    from modulo.usecases.create_upload import UploadLimits


def upload_file(
    principal: Principal,
    collection_id: UUID,
    sent: SentFile,
    *,
    uploads: Uploads,
    blobs: Blobs,
    clock: Clock,
    limits: UploadLimits,
) -> UploadReceipt:
    """Reserve quota and store the bytes; the event that storing them raises starts the ingestion.

    A duplicate is not stored again, unless the request asks for it.

    Raises:
        TooLarge: the file is larger than the limit.
        EmptyFile: it holds no bytes.
        InvalidRequest, UnsupportedFile: the name is not usable or the type cannot be read.
        QuotaExceeded: the file does not fit.
    """
    if not sent.content:
        raise EmptyFile
    request = NewUpload(
        name=sent.name,
        size_bytes=len(sent.content),
        checksum_sha256=hashlib.sha256(sent.content).hexdigest(),
        on_duplicate=sent.on_duplicate,
        attributes=sent.attributes,
    )
    file = reserve(
        principal,
        collection_id,
        request,
        media_type=media_type_of(sent.name, sent.content[:HEAD_BYTES]),
        idempotency_key=sent.idempotency_key,
        uploads=uploads,
        clock=clock,
        limits=limits,
    )
    ref = file_ref(principal, file)
    if file.stage.awaits_bytes:  # a duplicate that still waits for its bytes takes these
        blobs.put(ref, sent.content, media_type=file.media_type)
    receipt = UploadReceipt(
        file_id=file.id,
        task_id=ref.task_id,
        generation=file.generation,
        url=file.url,
        duplicate_of=name_of_duplicate(file),
    )
    ready = receipt.duplicate_of and file.stage is Stage.ready
    return receipt.model_copy(update={"status": file.stage.value}) if ready else receipt

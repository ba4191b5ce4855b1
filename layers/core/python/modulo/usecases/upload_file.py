"""Take a small file in the request itself."""

import hashlib
from uuid import UUID

from modulo.domain.errors import EmptyFile
from modulo.domain.file import Stage
from modulo.domain.identity import Principal
from modulo.domain.media import media_type_of
from modulo.domain.upload import NewUpload, UploadReceipt
from modulo.ports import Blobs, Clock, Metadata
from modulo.usecases.create_upload import UploadLimits, file_ref, reserve


def upload_file(
    principal: Principal,
    collection_id: UUID,
    name: str,
    content: bytes,
    *,
    idempotency_key: str | None,
    metadata: Metadata,
    blobs: Blobs,
    clock: Clock,
    limits: UploadLimits,
) -> UploadReceipt:
    """Reserve quota, store the bytes, and leave the rest to the event that storing them raises.

    Raises:
        TooLarge: more bytes than the limit.
        EmptyFile: no bytes at all.
        InvalidRequest, UnsupportedFile: the name is not usable or the type cannot be read.
        QuotaExceeded: no file or byte more fits.
    """
    if not content:
        raise EmptyFile
    request = NewUpload(name=name, size_bytes=len(content), checksum_sha256=hashlib.sha256(content).hexdigest())
    file = reserve(
        principal,
        collection_id,
        request,
        media_type=media_type_of(name, content[:4096]),
        idempotency_key=idempotency_key,
        metadata=metadata,
        clock=clock,
        limits=limits,
    )
    ref = file_ref(principal, file)
    if file.stage is Stage.awaiting_upload:
        blobs.put(ref, content, media_type=file.media_type)
    return UploadReceipt(file_id=file.id, task_id=ref.task_id, generation=file.generation)

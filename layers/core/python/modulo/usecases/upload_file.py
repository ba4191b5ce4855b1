"""Take a small file in the request itself."""

import hashlib
from uuid import UUID

from modulo.domain.errors import EmptyFile
from modulo.domain.file import Stage
from modulo.domain.identity import Principal
from modulo.domain.media import media_type_of
from modulo.domain.upload import NewUpload, SentFile, UploadReceipt
from modulo.ports import Blobs, Clock, Metadata
from modulo.usecases.create_upload import UploadLimits, file_ref, name_of_duplicate, reserve


def upload_file(
    principal: Principal,
    collection_id: UUID,
    sent: SentFile,
    *,
    metadata: Metadata,
    blobs: Blobs,
    clock: Clock,
    limits: UploadLimits,
) -> UploadReceipt:
    """Reserve quota, store the bytes, and leave the rest to the event that storing them raises.

    Bytes that a file of the collection holds already are not stored again, unless that is asked for.

    Raises:
        TooLarge: more bytes than the limit.
        EmptyFile: no bytes at all.
        InvalidRequest, UnsupportedFile: the name is not usable or the type cannot be read.
        QuotaExceeded: no file or byte more fits.
    """
    if not sent.content:
        raise EmptyFile
    request = NewUpload(
        name=sent.name,
        size_bytes=len(sent.content),
        checksum_sha256=hashlib.sha256(sent.content).hexdigest(),
        on_duplicate=sent.on_duplicate,
    )
    file = reserve(
        principal,
        collection_id,
        request,
        media_type=media_type_of(sent.name, sent.content[:4096]),
        idempotency_key=sent.idempotency_key,
        metadata=metadata,
        clock=clock,
        limits=limits,
    )
    ref = file_ref(principal, file)
    if file.stage is Stage.awaiting_upload:  # a duplicate whose bytes are not there yet takes these
        blobs.put(ref, sent.content, media_type=file.media_type)
    receipt = UploadReceipt(
        file_id=file.id, task_id=ref.task_id, generation=file.generation, duplicate_of=name_of_duplicate(file)
    )
    ready = receipt.duplicate_of and file.stage is Stage.ready
    return receipt.model_copy(update={"status": file.stage.value}) if ready else receipt

"""Prepare an upload that goes straight to the object store."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from modulo.domain.deletion import LATE_UPLOAD
from modulo.domain.errors import TooLarge
from modulo.domain.file import File, FileRef
from modulo.domain.identity import Principal
from modulo.domain.media import media_type_of, safe_name
from modulo.domain.quota import Quotas
from modulo.domain.transfer import FileDraft
from modulo.domain.upload import NewUpload, UploadTicket
from modulo.ports import Blobs, Clock, Metadata
from modulo.usecases.idempotency import new_id


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What one upload may take; what was not uploaded and ingested by the deadline fails. Times in seconds."""

    quotas: Quotas
    max_bytes: int
    presign_seconds: int
    deadline_seconds: int


def create_upload(
    principal: Principal,
    collection_id: UUID,
    request: NewUpload,
    *,
    idempotency_key: str | None,
    metadata: Metadata,
    blobs: Blobs,
    clock: Clock,
    limits: UploadLimits,
) -> UploadTicket:
    """Reserve quota for a file and answer with the form that uploads exactly its bytes.

    Raises:
        TooLarge: the file is larger than the limit.
        InvalidRequest, UnsupportedFile: the name is not usable or of a type that cannot be read.
        QuotaExceeded: no file or byte more fits.
    """
    file = reserve(
        principal,
        collection_id,
        request,
        media_type=media_type_of(request.name, None),
        idempotency_key=idempotency_key,
        metadata=metadata,
        clock=clock,
        limits=limits,
        by_form=True,
    )
    ref = file_ref(principal, file)
    post = blobs.presigned_post(
        ref,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        checksum_sha256=file.checksum_sha256,
        expires_in=limits.presign_seconds,
    )
    return UploadTicket(
        file_id=file.id,
        task_id=ref.task_id,
        status=file.stage,
        generation=file.generation,
        upload=post,
        expires_at=clock.now() + timedelta(seconds=limits.presign_seconds),
    )


def reserve(
    principal: Principal,
    collection_id: UUID,
    request: NewUpload,
    *,
    media_type: str,
    idempotency_key: str | None,
    metadata: Metadata,
    clock: Clock,
    limits: UploadLimits,
    by_form: bool = False,
) -> File:
    """Reserve quota and a generation."""
    if request.size_bytes > limits.max_bytes:
        raise TooLarge(f"A file may have at most {limits.max_bytes} bytes; this one has {request.size_bytes}.")
    now = clock.now()
    draft = FileDraft(
        id=new_id(principal, f"file:{collection_id}", idempotency_key),
        name=safe_name(request.name),
        media_type=media_type,
        size_bytes=request.size_bytes,
        checksum_sha256=request.checksum_sha256,
        deadline=now + timedelta(seconds=limits.deadline_seconds),
        arrives_until=now + timedelta(seconds=limits.presign_seconds) + LATE_UPLOAD if by_form else None,
    )
    return metadata.reserve_file(principal, collection_id, draft, quotas=limits.quotas, now=now)


def file_ref(principal: Principal, file: File) -> FileRef:
    """The newest generation of a file."""
    return FileRef(principal.tenant_id, file.collection_id, file.id, file.generation)

"""Prepare an upload that goes directly to the object store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from modulo.domain.errors import TooLarge
from modulo.domain.files.file import Duplicate, FileRef
from modulo.domain.files.media import media_type_of, safe_name
from modulo.domain.files.upload import FileDraft, UploadTicket
from modulo.domain.operations.deletion import UPLOAD_GRACE
from modulo.usecases.idempotency import new_id

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.file import File
    from modulo.domain.files.upload import NewUpload
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.uploads import Uploads


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Within which limits a file is uploaded and ingested; it fails at the deadline. Times in seconds."""

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
    uploads: Uploads,
    blobs: Blobs,
    clock: Clock,
    limits: UploadLimits,
) -> UploadTicket:
    """Reserve quota for a file and return the presigned form that uploads exactly its bytes.

    A duplicate whose bytes are stored already gets no form.

    Raises:
        TooLarge: the file is larger than the limit.
        InvalidRequest, UnsupportedFile: the name is not usable or of a type that cannot be read.
        QuotaExceeded: the file does not fit.
    """
    file = reserve(
        principal,
        collection_id,
        request,
        media_type=media_type_of(safe_name(request.name), None),
        idempotency_key=idempotency_key,
        uploads=uploads,
        clock=clock,
        limits=limits,
        by_form=True,
    )
    ref = file_ref(principal, file)
    duplicate_of = name_of_duplicate(file)
    ticket = UploadTicket(
        file_id=file.id,
        task_id=ref.task_id,
        status=file.stage,
        generation=file.generation,
        upload=None,
        expires_at=None,
        duplicate_of=duplicate_of,
    )
    if duplicate_of and not file.stage.awaits_bytes:
        return ticket
    post = blobs.presigned_post(
        ref,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        checksum_sha256=file.checksum_sha256,
        expires_in=limits.presign_seconds,
    )
    expires_at = clock.now() + timedelta(seconds=limits.presign_seconds)
    return ticket.model_copy(update={"upload": post, "expires_at": expires_at})


def reserve(
    principal: Principal,
    collection_id: UUID,
    request: NewUpload,
    *,
    media_type: str,
    source_url: str | None = None,
    idempotency_key: str | None,
    uploads: Uploads,
    clock: Clock,
    limits: UploadLimits,
    by_form: bool = False,
) -> File:
    """Reserve quota and a generation; or the duplicate that holds the same bytes, for which nothing is reserved."""
    if request.size_bytes > limits.max_bytes:
        raise TooLarge(f"A file may have at most {limits.max_bytes} bytes; this one has {request.size_bytes}.")
    now = clock.now()
    draft = FileDraft(
        id=new_id(principal, f"{'url' if source_url else 'file'}:{collection_id}", idempotency_key),
        name=safe_name(request.name),
        media_type=media_type,
        size_bytes=request.size_bytes,
        checksum_sha256=request.checksum_sha256,
        deadline=now + timedelta(seconds=limits.deadline_seconds),
        arrives_until=now + timedelta(seconds=limits.presign_seconds) + UPLOAD_GRACE if by_form else None,
        on_duplicate=request.on_duplicate,
        source_url=source_url,
        attributes=request.attributes,
    )
    return uploads.reserve_file(principal, collection_id, draft, quotas=limits.quotas, now=now)


def file_ref(principal: Principal, file: File) -> FileRef:
    """The newest generation of a file."""
    return FileRef(principal.tenant_id, file.collection_id, file.id, file.generation)


def name_of_duplicate(file: File) -> str | None:
    """The file's name, if it is a duplicate."""
    return file.name if isinstance(file, Duplicate) else None

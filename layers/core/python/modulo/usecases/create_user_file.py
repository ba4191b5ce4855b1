"""Keep a file outside collections, to be attached to some later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from modulo.domain.errors import EmptyFile, TooLarge
from modulo.domain.files.media import HEAD_BYTES, media_type_of, safe_name
from modulo.domain.files.user_file import UserFile, UserFileRef

if TYPE_CHECKING:
    from modulo.domain.files.user_file import SentUserFile
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.user_files import UserFiles
    from modulo.usecases.create_upload import UploadLimits


def create_user_file(
    principal: Principal,
    sent: SentUserFile,
    *,
    user_files: UserFiles,
    blobs: Blobs,
    clock: Clock,
    limits: UploadLimits,
) -> UserFile:
    """Charge the file to its user and store the bytes.

    Raises:
        TooLarge: the file is larger than the limit.
        EmptyFile: it holds no bytes.
        InvalidRequest, UnsupportedFile: the name is not usable or the type cannot be read.
        QuotaExceeded: the file does not fit.
    """
    if not sent.content:
        raise EmptyFile
    if len(sent.content) > limits.max_bytes:
        raise TooLarge(f"A file may have at most {limits.max_bytes} bytes; this one has {len(sent.content)}.")
    now = clock.now()
    file = UserFile(
        id=uuid4(),
        name=safe_name(sent.name),
        purpose=sent.purpose,
        media_type=media_type_of(sent.name, sent.content[:HEAD_BYTES]),
        size_bytes=len(sent.content),
        created_at=now,
        expires_at=now + timedelta(seconds=sent.expires_after_seconds) if sent.expires_after_seconds else None,
    )
    user_files.add_user_file(principal, file, quotas=limits.quotas)
    try:
        blobs.put(
            UserFileRef(principal.tenant_id, principal.user_id, file.id), sent.content, media_type=file.media_type
        )
    except BaseException:
        user_files.tombstone_user_file(principal, file.id, now=now)
        raise
    return file

"""Begin an upload in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from modulo.domain.errors import TooLarge
from modulo.domain.files.media import media_type_of, safe_name
from modulo.domain.files.part_upload import EXPIRES_AFTER
from modulo.domain.files.user_file import UserFile

if TYPE_CHECKING:
    from modulo.domain.files.part_upload import NewPartUpload, PartUpload
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.part_uploads import PartUploads
    from modulo.usecases.create_upload import UploadLimits


def create_part_upload(
    principal: Principal, wanted: NewPartUpload, *, part_uploads: PartUploads, clock: Clock, limits: UploadLimits
) -> PartUpload:
    """Charge the file to its user; its parts may come within an hour, after which it is given up.

    Raises:
        TooLarge: the file is larger than the limit.
        InvalidRequest, UnsupportedFile: the name is not usable or of a type that cannot be read.
        QuotaExceeded: the file does not fit.
    """
    if wanted.size_bytes > limits.max_bytes:
        raise TooLarge(f"A file may have at most {limits.max_bytes} bytes; this one has {wanted.size_bytes}.")
    now = clock.now()
    file = UserFile(
        id=uuid4(),
        name=safe_name(wanted.name),
        purpose=wanted.purpose,
        media_type=media_type_of(wanted.name, None),
        size_bytes=wanted.size_bytes,
        created_at=now,
    )
    part_uploads.open_upload(
        principal,
        file,
        expires_at=now + EXPIRES_AFTER,
        file_seconds=wanted.expires_after_seconds,
        quotas=limits.quotas,
    )
    return part_uploads.get_upload(principal, file.id, now=now)

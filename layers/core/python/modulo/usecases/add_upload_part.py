"""Add a part to an upload."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from modulo.domain.errors import TooLarge
from modulo.domain.files.part_upload import UploadPartRef
from modulo.domain.files.user_file import UserFileRef

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.part_uploads import PartUploads

OCTETS = "application/octet-stream"


def add_upload_part(
    principal: Principal,
    upload_id: UUID,
    content: bytes,
    *,
    part_uploads: PartUploads,
    blobs: Blobs,
    clock: Clock,
    max_bytes: int,
) -> UUID:
    """Store the part, whose id is the answer; the order of parts is told at the end.

    Its object is stored first, so that a part that is known is there; the object of one that is refused then goes with
    the upload.

    Raises:
        NotFound: the caller has no such upload, or it ended.
        InvalidRequest: the part is empty, or more than the upload was created for.
        TooLarge: the part is larger than the limit.
        Conflict: the upload is complete, or is being completed.
    """
    if len(content) > max_bytes:
        raise TooLarge(f"A part may have at most {max_bytes} bytes; this one has {len(content)}.")
    part_uploads.get_upload(principal, upload_id, now=clock.now()).require_room(len(content))
    ref = UploadPartRef(UserFileRef(principal.tenant_id, principal.user_id, upload_id), uuid4())
    blobs.put(ref, content, media_type=OCTETS)
    part_uploads.add_part(principal, upload_id, ref.part_id, len(content), now=clock.now())
    return ref.part_id

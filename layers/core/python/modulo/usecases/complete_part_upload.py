"""Complete an upload in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import Conflict, InvalidRequest
from modulo.domain.files.media import HEAD_BYTES, media_type_of
from modulo.domain.files.part_upload import COMPLETION_LEASE, UploadPartRef, digest
from modulo.domain.files.user_file import UserFileRef
from modulo.domain.operations.purge import PurgeRequest
from modulo.usecases.purge import request_purge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.files.part_upload import PartUpload
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.part_uploads import PartUploads
    from modulo.ports.queue import Queue


def complete_part_upload(
    principal: Principal,
    upload_id: UUID,
    part_ids: Sequence[UUID],
    md5: str | None,
    *,
    part_uploads: PartUploads,
    blobs: Blobs,
    purges: Queue,
    clock: Clock,
) -> PartUpload:
    """Put the parts together in the order given, which makes them a file; doing it again answers with that file.

    Raises:
        NotFound: the caller has no such upload, or it ended.
        InvalidRequest: the parts do not make up the file, are not those that do already, or have another checksum.
        UnsupportedFile: the bytes are of a type that cannot be read.
        Conflict: somebody else is completing it.
    """
    upload = part_uploads.get_upload(principal, upload_id, now=clock.now())
    if upload.file is not None:
        upload.require_same(part_ids)
        return upload
    upload.require_whole(part_ids)
    ref = UserFileRef(principal.tenant_id, principal.user_id, upload_id)
    parts = [UploadPartRef(ref, part) for part in part_ids]
    now = clock.now()
    try:
        part_uploads.begin_completion(principal, upload_id, until=now + COMPLETION_LEASE, now=now)
    except Conflict:
        upload = part_uploads.get_upload(principal, upload_id, now=now)
        if upload.file is None:
            raise
        upload.require_same(part_ids)  # the same request was faster
        return upload
    try:
        with blobs.open(parts[0]) as first:
            media_type = media_type_of(upload.name, first.read(HEAD_BYTES))
        found = blobs.join(parts, ref, media_type=media_type)
        if md5 is not None and found != md5.lower():
            raise InvalidRequest.field("md5", f"is not that of the parts in this order, which is {found}")
        completed_with = digest(part_ids)
        part_uploads.end_completion(
            principal, upload_id, completed_with=completed_with, media_type=media_type, now=clock.now()
        )
    except BaseException:
        part_uploads.release_completion(principal, upload_id)
        raise
    request_purge(PurgeRequest(principal.tenant_id, parts_of=ref), purges=purges)
    return part_uploads.get_upload(principal, upload_id, now=clock.now())

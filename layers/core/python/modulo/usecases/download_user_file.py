"""Download a file by its id alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from modulo.domain.errors import NotFound
from modulo.domain.files.upload import Download
from modulo.domain.files.user_file import UserFileRef
from modulo.usecases.download_file import presigned_download

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.files import Files
    from modulo.ports.metadata.user_files import UserFiles


def download_user_file(
    principal: Principal,
    file_id: UUID,
    *,
    user_files: UserFiles,
    files: Files,
    blobs: Blobs,
    clock: Clock,
    presign_seconds: int,
) -> Download:
    """A presigned URL of the caller's own file, or of the one of a collection that the caller is a member of.

    Raises:
        NotFound: neither is visible to the caller.
        Conflict: nothing was uploaded yet.
        LostFile: its bytes were replaced or deleted, in a store that keeps no versions.
    """
    now = clock.now()
    try:
        file = user_files.get_user_file(principal, file_id, now=now)
    except NotFound:
        found = files.find_file(principal, file_id)
        return presigned_download(principal, found, blobs=blobs, clock=clock, presign_seconds=presign_seconds)
    ref = UserFileRef(principal.tenant_id, principal.user_id, file.id)
    url = blobs.presigned_get(ref, name=file.name, media_type=file.media_type, expires_in=presign_seconds)
    return Download(url=url, expires_at=now + timedelta(seconds=presign_seconds))

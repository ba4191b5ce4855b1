"""Download a file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from modulo.domain.errors import Conflict, LostFile, NotFound
from modulo.domain.files.upload import Download

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.stored_object import StoredFile
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.files import Files


def download_file(
    principal: Principal,
    collection_id: UUID,
    file_id: UUID,
    *,
    files: Files,
    blobs: Blobs,
    clock: Clock,
    presign_seconds: int,
) -> Download:
    """A presigned URL of the live generation's bytes, or of the newest one's where none is live yet.

    Raises:
        Conflict: nothing was uploaded yet.
        LostFile: its bytes were replaced or deleted, in a store that keeps no versions.
    """
    stored = files.get_stored_file(principal, collection_id, file_id)
    return presigned_download(principal, stored, blobs=blobs, clock=clock, presign_seconds=presign_seconds)


def presigned_download(
    principal: Principal, stored: StoredFile, *, blobs: Blobs, clock: Clock, presign_seconds: int
) -> Download:
    """The same of a file that was found."""
    file = stored.file
    if file.live_generation is None and file.stage.awaits_bytes:
        raise Conflict("The file was not uploaded yet.")
    ref = file.live_ref(principal.tenant_id)
    wanted = {"name": file.name, "media_type": file.media_type}
    try:
        url = blobs.presigned_get(ref, version=stored.version, **wanted, expires_in=presign_seconds)
    except NotFound:
        raise LostFile from None
    return Download(url=url, expires_at=clock.now() + timedelta(seconds=presign_seconds))

"""Let a file be downloaded."""

from datetime import timedelta
from uuid import UUID

from modulo.domain.errors import Conflict
from modulo.domain.file import Stage
from modulo.domain.identity import Principal
from modulo.domain.upload import Download
from modulo.ports import Blobs, Clock, Metadata


def download_file(
    principal: Principal,
    collection_id: UUID,
    file_id: UUID,
    *,
    metadata: Metadata,
    blobs: Blobs,
    clock: Clock,
    presign_seconds: int,
) -> Download:
    """An address of the live generation's bytes, or of the newest one's where none is live yet.

    Raises:
        Conflict: nothing was uploaded yet.
    """
    file = metadata.get_file(principal, collection_id, file_id)
    if file.live_generation is None and file.stage is Stage.awaiting_upload:
        raise Conflict("The file was not uploaded yet.")
    ref = file.live_ref(principal.tenant_id)
    url = blobs.presigned_get(ref, name=file.name, media_type=file.media_type, expires_in=presign_seconds)
    return Download(url=url, expires_at=clock.now() + timedelta(seconds=presign_seconds))

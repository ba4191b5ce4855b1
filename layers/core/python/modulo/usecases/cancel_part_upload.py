"""Cancel an upload in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.files.user_file import UserFileRef
from modulo.domain.operations.purge import PurgeRequest
from modulo.usecases.purge import request_purge

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.part_upload import PartUpload
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.part_uploads import PartUploads
    from modulo.ports.queue import Queue


def cancel_part_upload(
    principal: Principal, upload_id: UUID, *, part_uploads: PartUploads, purges: Queue, clock: Clock
) -> PartUpload:
    """Give the upload up as it was, with all that arrived of it; no part may be added any more.

    Raises:
        NotFound: the caller has no such upload, or it ended.
        Conflict: it is complete, or is being completed.
    """
    now = clock.now()
    upload = part_uploads.get_upload(principal, upload_id, now=now)
    part_uploads.cancel_upload(principal, upload_id, now=now)
    ref = UserFileRef(principal.tenant_id, principal.user_id, upload_id)
    request_purge(PurgeRequest(principal.tenant_id, user_file=ref), purges=purges)
    return upload

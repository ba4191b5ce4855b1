"""Delete a user file and its copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.files.user_file import UserFileRef
from modulo.domain.operations.purge import PurgeRequest
from modulo.usecases.delete_file import delete_file
from modulo.usecases.purge import request_purge

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.files import Files
    from modulo.ports.metadata.user_files import UserFiles
    from modulo.ports.queue import Queue


def delete_user_file(
    principal: Principal, file_id: UUID, *, user_files: UserFiles, files: Files, purges: Queue, clock: Clock
) -> None:
    """Make the caller's own file invisible, with its copies in collections where the caller may delete them.

    Copies elsewhere belong to those collections by now.

    Raises:
        NotFound: the caller has no such file.
    """
    now = clock.now()
    user_files.get_user_file(principal, file_id, now=now)
    for copy in files.list_copies(principal, file_id):
        delete_file(principal, copy.collection_id, copy.id, files=files, purges=purges, clock=clock)
    user_files.tombstone_user_file(principal, file_id, now=now)
    ref = UserFileRef(principal.tenant_id, principal.user_id, file_id)
    request_purge(PurgeRequest(principal.tenant_id, user_file=ref), purges=purges)

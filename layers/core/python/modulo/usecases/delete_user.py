"""Delete a user of a tenant, and prove that nothing of theirs is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import NotFound
from modulo.domain.operations.deletion import deletion_id
from modulo.usecases.purge import request_purge

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.operations.deletion import Deletion
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.deletions import Deletions
    from modulo.ports.metadata.user_deletions import UserDeletions
    from modulo.ports.queue import Queue


def delete_user(tenant_id: UUID, user_id: UUID, *, user_deletions: UserDeletions, purges: Queue, clock: Clock) -> UUID:
    """Remove a user's access and rows at once, and queue the purge of their collections and files; the receipt's id.

    What they added to collections of others stays there.

    Raises:
        NotFound: there is no such user.
    """
    for request in user_deletions.remove_user(tenant_id, user_id, now=clock.now()):
        request_purge(request, purges=purges)
    return deletion_id(user_id)


def show_user_deletion(
    tenant_id: UUID, user_id: UUID, *, user_deletions: UserDeletions, deletions: Deletions, clock: Clock
) -> Deletion:
    """The receipt, which is completed here as soon as each collection and file has been purged and proved to be gone.

    Raises:
        NotFound: the user was not deleted.
    """
    user_deletions.complete_removal(tenant_id, user_id, now=clock.now())
    found = deletions.find_deletion(tenant_id, deletion_id(user_id))
    if found is None:
        raise NotFound("The user was not deleted.")
    return found

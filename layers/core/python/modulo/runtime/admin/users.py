"""Users of a tenant: list and delete them, and show receipts of their deletions."""

from uuid import UUID

from modulo.domain.operations.deletion import Deletion
from modulo.domain.tenancy.identity import User
from modulo.services import services
from modulo.usecases.delete_user import delete_user as remove_user
from modulo.usecases.delete_user import show_user_deletion

PAGE = 500


def list_users(tenant_id: UUID, after: UUID | None = None, name: str | None = None) -> list[User]:
    """Users by id, those behind `after` or of that name: a page of `PAGE`, which is shorter only at the end."""
    return services().user_deletions.list_users(tenant_id, after=after, limit=PAGE, name=name)


def delete_user(tenant_id: UUID, user_id: UUID) -> UUID:
    """Delete a user; the id of the receipt.

    Raises:
        NotFound: there is no such user.
    """
    s = services()
    return remove_user(tenant_id, user_id, user_deletions=s.user_deletions, purges=s.purges, clock=s.clock)


def show_deletion(tenant_id: UUID, user_id: UUID) -> Deletion:
    """The receipt of a user's deletion.

    Raises:
        NotFound: the user was not deleted.
    """
    s = services()
    return show_user_deletion(tenant_id, user_id, user_deletions=s.user_deletions, deletions=s.deletions, clock=s.clock)

"""Deletions of users."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.operations.purge import PurgeRequest
    from modulo.domain.tenancy.identity import User


class UserDeletions(Protocol):
    """List users, and remove one with all that is theirs."""

    def list_users(self, tenant_id: UUID, *, after: UUID | None, limit: int, name: str | None = None) -> list[User]:
        """Users of a tenant by id, those behind `after`, or of that name; that of a removed one is empty."""
        ...

    def remove_user(self, tenant_id: UUID, user_id: UUID, *, now: datetime) -> tuple[PurgeRequest, ...]:
        """Remove keys, memberships, conversations and usage at once; tombstone collections and files of the user's own.

        What is to be purged now. Doing it again finds what has come since.

        Raises:
            NotFound: there is no such user, and there was none.
        """
        ...

    def complete_removal(self, tenant_id: UUID, user_id: UUID, *, now: datetime) -> bool:
        """Complete the receipt; False where something of the user's is still there, or it is complete."""
        ...

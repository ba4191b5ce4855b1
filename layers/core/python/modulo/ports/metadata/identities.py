"""Users and API keys."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Account, ApiKey, OwnedApiKey, Principal, User


class Identities(Protocol):
    """Users and their API keys, and who a key speaks for."""

    def add_user(self, user: User) -> None:
        """Store the user; an existing one of the same id is left as it is.

        Raises:
            NotFound: there is no such tenant, or it is tombstoned.
        """
        ...

    def add_api_key(self, key: ApiKey, *, secret_hash: bytes) -> None:
        """Store the key.

        Raises:
            NotFound: the tenant has no such user.
            Conflict: a key of that id or secret is there already.
        """
        ...

    def list_api_keys(self, tenant_id: UUID) -> list[OwnedApiKey]:
        """The tenant's keys with the names of their users, newest first."""
        ...

    def revoke_api_key(self, tenant_id: UUID, key_id: UUID, *, now: datetime) -> None:
        """End the key; ending it again changes nothing.

        Raises:
            NotFound: the tenant has no such key.
        """
        ...

    def get_account(self, principal: Principal) -> Account:
        """The caller's own account; also where nothing is stored of them yet."""
        ...

    def principal_of(self, secret_hash: bytes, *, now: datetime) -> Principal | None:
        """Who a key speaks for; None where it is unknown, revoked or expired, or its tenant is deleted."""
        ...

"""API keys: create, list and revoke them."""

from datetime import timedelta
from uuid import UUID, uuid4

from modulo.domain.errors import NotFound
from modulo.domain.tenancy.identity import (
    ApiKey,
    OwnedApiKey,
    Scope,
    Tenant,
    User,
    api_key_hash,
    external_id,
    new_api_key,
)
from modulo.services import services

LOCAL = "modulo"
"""The issuer of tenants and users that are named on the command line."""


def create_key(tenant: str, user: str, name: str, *, scopes: list[Scope] | None = None, days: int | None = None) -> str:
    """Create a key for a user of a tenant, which are created if missing; the secret, which is not stored.

    Raises:
        NotFound: the tenant has been deleted; its name cannot be used again.
    """
    s = services()
    tenant_id = external_id(LOCAL, f"tenant:{tenant}")
    user_id = external_id(LOCAL, f"user:{tenant}:{user}")
    now = s.clock.now()
    s.tenants.add_tenant(Tenant(id=tenant_id, name=tenant))
    if s.tenants.tenant_deleted(tenant_id):
        raise NotFound(f"Tenant {tenant!r} has been deleted: choose another name.")
    s.identities.add_user(User(tenant_id=tenant_id, id=user_id, name=user))
    secret = new_api_key()
    key = ApiKey(
        id=uuid4(),
        tenant_id=tenant_id,
        user_id=user_id,
        name=name,
        scopes=frozenset(scopes or list(Scope)),
        created_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    s.identities.add_api_key(key, secret_hash=api_key_hash(secret))
    return secret


def list_keys(tenant: str) -> list[OwnedApiKey]:
    """A tenant's keys with the names of their users, newest first."""
    return services().identities.list_api_keys(external_id(LOCAL, f"tenant:{tenant}"))


def revoke_key(tenant: str, key_id: UUID) -> None:
    """Revoke a key; environments that have cached it stop accepting it within `API_KEY_CACHE_SECONDS`."""
    s = services()
    s.identities.revoke_api_key(external_id(LOCAL, f"tenant:{tenant}"), key_id, now=s.clock.now())

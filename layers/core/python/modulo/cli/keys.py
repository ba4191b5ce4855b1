"""`modulo keys`: API keys, given out and taken back."""

from datetime import timedelta
from uuid import UUID, uuid4

from modulo.domain.identity import ApiKey, Scope, Tenant, User, api_key_hash, external_id, new_api_key
from modulo.services import services

LOCAL = "modulo"
"""The issuer of names that are given on the command line."""


def create_key(tenant: str, user: str, name: str, *, scopes: list[Scope] | None = None, days: int | None = None) -> str:
    """A new key for a user of a tenant, both made where they are new; the secret is shown only this once."""
    s = services()
    tenant_id = external_id(LOCAL, f"tenant:{tenant}")
    user_id = external_id(LOCAL, f"user:{tenant}:{user}")
    now = s.clock.now()
    s.metadata.add_tenant(Tenant(id=tenant_id, name=tenant))
    s.metadata.add_user(User(tenant_id=tenant_id, id=user_id, name=user))
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
    s.metadata.add_api_key(key, secret_hash=api_key_hash(secret))
    return secret


def list_keys(tenant: str) -> list[ApiKey]:
    """A tenant's keys, newest first."""
    return services().metadata.list_api_keys(external_id(LOCAL, f"tenant:{tenant}"))


def revoke_key(tenant: str, key_id: UUID) -> None:
    """End a key; environments that know it notice within `API_KEY_CACHE_SECONDS`."""
    s = services()
    s.metadata.revoke_api_key(external_id(LOCAL, f"tenant:{tenant}"), key_id, now=s.clock.now())

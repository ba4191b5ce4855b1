"""Tenants, users and API keys in memory."""

from datetime import datetime
from uuid import UUID

from modulo.adapters.memory_metadata.store import Store, UserRow
from modulo.domain.errors import Conflict, NotFound
from modulo.domain.identity import ApiKey, Principal, User


def add_user(store: Store, user: User) -> None:
    """Store the user, unless it is there."""
    tenant = store.tenants.get(user.tenant_id)
    if tenant is None or tenant.deleted_at is not None:
        raise NotFound("There is no such tenant, or it was deleted.")
    store.users.setdefault((user.tenant_id, user.id), UserRow(user.tenant_id, user.id, user.name))


def add_api_key(store: Store, key: ApiKey, secret_hash: bytes) -> None:
    """Store the key."""
    if (key.tenant_id, key.user_id) not in store.users:
        raise NotFound
    taken = {(known.tenant_id, known.id) for known in store.keys.values()}
    if secret_hash in store.keys or (key.tenant_id, key.id) in taken:
        raise Conflict
    store.keys[secret_hash] = key


def list_api_keys(store: Store, tenant_id: UUID) -> list[ApiKey]:
    """The tenant's keys, newest first."""
    found = [key for key in store.keys.values() if key.tenant_id == tenant_id]
    return sorted(found, key=lambda key: (key.created_at, key.id), reverse=True)


def revoke_api_key(store: Store, tenant_id: UUID, key_id: UUID, *, now: datetime) -> None:
    """End the key; the first end stays."""
    for secret_hash, key in store.keys.items():
        if (key.tenant_id, key.id) == (tenant_id, key_id):
            store.keys[secret_hash] = key.model_copy(update={"revoked_at": key.revoked_at or now})
            return
    raise NotFound


def principal_of(store: Store, secret_hash: bytes, *, now: datetime) -> Principal | None:
    """Whom a valid key speaks for."""
    key = store.keys.get(secret_hash)
    if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        return None
    if store.tenants[key.tenant_id].deleted_at is not None:
        return None
    return Principal(key.tenant_id, key.user_id, key.scopes)

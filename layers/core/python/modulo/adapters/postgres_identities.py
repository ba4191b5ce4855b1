"""Tenants, users and API keys in Postgres."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres_rows import in_tenant
from modulo.adapters.postgres_tables import api_keys, tenants, users
from modulo.domain.errors import NotFound
from modulo.domain.identity import ApiKey, Principal, Scope, Tenant, User

_KEY = tuple(column for column in api_keys.c if column.name != "secret_hash")


def add_tenant(connection: Connection, tenant: Tenant) -> None:
    """Store the tenant, unless it is there."""
    connection.execute(insert(tenants).values(id=tenant.id, name=tenant.name).on_conflict_do_nothing())


def add_user(connection: Connection, user: User) -> None:
    """Store the user, unless it is there."""
    values = {"tenant_id": user.tenant_id, "id": user.id, "name": user.name}
    connection.execute(insert(users).values(values).on_conflict_do_nothing())


def introduce(connection: Connection, principal: Principal) -> bool:
    """Store a caller whom only an identity provider knew until now, named by id; False where known."""
    tenant = insert(tenants).values(id=principal.tenant_id, name=str(principal.tenant_id)).on_conflict_do_nothing()
    user = (
        insert(users)
        .values(tenant_id=principal.tenant_id, id=principal.user_id, name=str(principal.user_id))
        .on_conflict_do_nothing()
        .returning(users.c.id)
        .add_cte(tenant.cte("tenant"))
    )
    return connection.execute(user).first() is not None


def add_api_key(connection: Connection, key: ApiKey, secret_hash: bytes) -> None:
    """Store the key."""
    values = key.model_dump() | {"scopes": sorted(scope.value for scope in key.scopes), "secret_hash": secret_hash}
    connection.execute(insert(api_keys).values(values))


def list_api_keys(connection: Connection, tenant_id: UUID) -> list[ApiKey]:
    """The tenant's keys, newest first."""
    newest = (api_keys.c.created_at.desc(), api_keys.c.id.desc())
    statement = select(*_KEY).where(in_tenant(tenant_id, api_keys)).order_by(*newest)
    return [_key(row) for row in connection.execute(statement).mappings()]


def revoke_api_key(connection: Connection, tenant_id: UUID, key_id: UUID, *, now: datetime) -> None:
    """End the key; the first end stays."""
    statement = (
        update(api_keys)
        .values(revoked_at=func.coalesce(api_keys.c.revoked_at, now))
        .where(in_tenant(tenant_id, api_keys), api_keys.c.id == key_id)
    )
    if connection.execute(statement).rowcount == 0:
        raise NotFound


def principal_of(connection: Connection, secret_hash: bytes, *, now: datetime) -> Principal | None:
    """Whom a valid key speaks for."""
    statement = select(api_keys.c.tenant_id, api_keys.c.user_id, api_keys.c.scopes).where(
        api_keys.c.secret_hash == secret_hash,
        api_keys.c.revoked_at.is_(None),
        or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
    )
    row = connection.execute(statement).one_or_none()
    return Principal(row.tenant_id, row.user_id, frozenset(map(Scope, row.scopes))) if row else None


def _key(row: RowMapping) -> ApiKey:
    return ApiKey.model_validate(dict(row))

"""Users and API keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Uuid, and_, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from modulo.adapters.postgres.pools import Pooled, read, transaction
from modulo.adapters.postgres.rows import MEMBERSHIP, in_tenant
from modulo.adapters.postgres.tables import api_keys, collections, members, tenants, users
from modulo.domain.errors import NotFound
from modulo.domain.tenancy.identity import Account, ApiKey, Named, OwnedApiKey, Principal, Scope, User

_KEY = tuple(column for column in api_keys.c if column.name != "secret_hash")


class PostgresIdentities(Pooled):
    """Users and API keys."""

    @transaction
    def add_user(self, connection: Connection, user: User) -> None:
        """Store the user, unless it is there, in a tenant that lives."""
        values = (literal(user.tenant_id, Uuid()), literal(user.id, Uuid()), literal(user.name))
        living = (
            select(*values).select_from(tenants).where(tenants.c.id == user.tenant_id, tenants.c.deleted_at.is_(None))
        )
        known = {"name": users.c.name}
        statement = (
            insert(users)
            .from_select(["tenant_id", "id", "name"], living)
            .on_conflict_do_update(constraint=users.primary_key, set_=known)
        )
        if connection.execute(statement).rowcount == 0:
            raise NotFound("There is no such tenant, or it was deleted.")

    @transaction
    def add_api_key(self, connection: Connection, key: ApiKey, *, secret_hash: bytes) -> None:
        """Store the key."""
        values = key.model_dump() | {"scopes": sorted(scope.value for scope in key.scopes), "secret_hash": secret_hash}
        connection.execute(insert(api_keys).values(values))

    @read
    def list_api_keys(self, connection: Connection, tenant_id: UUID) -> list[OwnedApiKey]:
        """The tenant's keys with the names of their users, newest first."""
        newest = (api_keys.c.created_at.desc(), api_keys.c.id.desc())
        statement = (
            select(*_KEY, users.c.name.label("user_name"))
            .join(users, and_(users.c.tenant_id == api_keys.c.tenant_id, users.c.id == api_keys.c.user_id))
            .where(in_tenant(tenant_id, api_keys, users))
            .order_by(*newest)
        )
        return [OwnedApiKey.model_validate(dict(row)) for row in connection.execute(statement).mappings()]

    @transaction
    def revoke_api_key(self, connection: Connection, tenant_id: UUID, key_id: UUID, *, now: datetime) -> None:
        """End the key; the first end stays."""
        statement = (
            update(api_keys)
            .values(revoked_at=func.coalesce(api_keys.c.revoked_at, now))
            .where(in_tenant(tenant_id, api_keys), api_keys.c.id == key_id)
        )
        if connection.execute(statement).rowcount == 0:
            raise NotFound

    @read
    def get_account(self, connection: Connection, principal: Principal) -> Account:
        """Names and roles, in one statement."""
        mine = (
            select(members.c.role, func.count().label("number"))
            .join(collections, MEMBERSHIP)
            .where(in_tenant(principal.tenant_id, members, collections), members.c.user_id == principal.user_id)
            .where(collections.c.deleted_at.is_(None))
            .group_by(members.c.role)
            .subquery()
        )
        counts = select(func.jsonb_object_agg(mine.c.role, mine.c.number, type_=JSONB)).scalar_subquery()
        user = and_(in_tenant(principal.tenant_id, users), users.c.id == principal.user_id)
        name = select(users.c.name).where(user).scalar_subquery()
        tenant = select(tenants.c.name).where(tenants.c.id == principal.tenant_id).scalar_subquery()
        row = connection.execute(select(name.label("user"), tenant.label("tenant"), counts.label("roles"))).one()
        return Account(
            user=Named(id=principal.user_id, name=row.user or str(principal.user_id)),
            tenant=Named(id=principal.tenant_id, name=row.tenant or str(principal.tenant_id)),
            roles=row.roles or {},
        )

    @read
    def principal_of(self, connection: Connection, secret_hash: bytes, *, now: datetime) -> Principal | None:
        """Whom a valid key speaks for."""
        statement = select(api_keys.c.tenant_id, api_keys.c.user_id, api_keys.c.scopes).join_from(
            api_keys, tenants, and_(tenants.c.id == api_keys.c.tenant_id, tenants.c.deleted_at.is_(None))
        )
        statement = statement.where(
            api_keys.c.secret_hash == secret_hash,
            api_keys.c.revoked_at.is_(None),
            or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
        )
        row = connection.execute(statement).one_or_none()
        return Principal(row.tenant_id, row.user_id, frozenset(map(Scope, row.scopes))) if row else None


def introduce(connection: Connection, principal: Principal) -> None:
    """Store a caller whom only an identity provider knew until now, named by id.

    Nobody is stored in a tenant that is tombstoned.
    """
    tenant = insert(tenants).values(id=principal.tenant_id, name=str(principal.tenant_id)).on_conflict_do_nothing()
    tombstoned = exists().where(tenants.c.id == principal.tenant_id, tenants.c.deleted_at.is_not(None))
    values = (literal(principal.tenant_id, Uuid()), literal(principal.user_id, Uuid()), literal(str(principal.user_id)))
    user = (
        insert(users)
        .from_select(["tenant_id", "id", "name"], select(*values).where(~tombstoned))
        .on_conflict_do_nothing()
        .add_cte(tenant.cte("tenant"))
    )
    connection.execute(user)

"""Who watches collections on connections of API Gateway, in Postgres, and what a transaction changes for them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Uuid,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres_moment import Moment
from modulo.adapters.postgres_rows import MEMBERSHIP, in_tenant, visible
from modulo.adapters.postgres_tables import api_keys, collections, members, tenants, users, watchers
from modulo.domain.errors import NotFound
from modulo.domain.identity import Principal, Scope
from modulo.domain.watching import PushRequest, Watch, Watcher, WatcherDraft, packed, unpacked


def add_watcher(
    connection: Connection,
    principal: Principal,
    collection_id: UUID,
    draft: WatcherDraft,
    *,
    limit: int,
    now: datetime,
) -> bool:
    """Remember them; the user is held meanwhile, so that no other connection is counted out."""
    itself = (
        select(users.c.id)
        .select_from(collections)
        .join(members, MEMBERSHIP)
        .join(users, and_(users.c.tenant_id == members.c.tenant_id, users.c.id == members.c.user_id))
        .where(visible(principal, collection_id))
        .with_for_update(of=users, key_share=True)
    )
    if connection.execute(itself).one_or_none() is None:
        raise NotFound
    others = select(func.count()).where(
        in_tenant(principal.tenant_id, watchers),
        watchers.c.user_id == principal.user_id,
        watchers.c.connection_id != draft.connection_id,
        watchers.c.closes_at > now,
    )
    if connection.execute(others).scalar_one() >= limit:
        return False
    values: dict[str, Any] = {
        "tenant_id": principal.tenant_id,
        "collection_id": collection_id,
        "user_id": principal.user_id,
        "key_hash": draft.key_hash,
        "expires_at": draft.expires_at,
        "closes_at": draft.closes_at,
        "looked_at": draft.looked_at,
        "told": packed(frozenset()),
        "told_at": now,
        "lease": None,
        "lease_until": None,
        "again": False,
    }
    given = insert(watchers).values(connection_id=draft.connection_id, **values)
    connection.execute(given.on_conflict_do_update(constraint=watchers.primary_key, set_=values))
    return True


def hold_watchers(
    connection: Connection,
    tenant_id: UUID,
    collection_id: UUID,
    *,
    since: datetime | None,
    lease_until: datetime,
    now: datetime,
) -> list[Watcher]:
    """Take those that are free, and note at the others that they are wanted."""
    wanted = select(watchers.c.connection_id).where(
        in_tenant(tenant_id, watchers), watchers.c.collection_id == collection_id
    )
    if since is not None:
        wanted = wanted.where(or_(watchers.c.looked_at.is_(None), watchers.c.looked_at < since))
    found = wanted.order_by(watchers.c.connection_id).with_for_update().cte("found")
    lease, free = uuid4(), or_(watchers.c.lease_until.is_(None), watchers.c.lease_until <= now)
    taken = {
        "again": not_(free),
        "lease": case((free, literal(lease, Uuid())), else_=watchers.c.lease),
        "lease_until": case((free, lease_until), else_=watchers.c.lease_until),
    }
    statement = (
        update(watchers)
        .values(taken)
        .where(in_tenant(tenant_id, watchers), watchers.c.connection_id == found.c.connection_id)
        .returning(watchers, _admitted(now).label("admitted"))
    )
    return [
        Watcher(
            connection_id=row["connection_id"],
            principal=Principal(tenant_id, row["user_id"], frozenset({Scope.read})),
            collection_id=collection_id,
            admitted=row["admitted"],
            looked_at=row["looked_at"],
            told=unpacked(row["told"]),
            told_at=row["told_at"],
            lease=lease,
        )
        for row in connection.execute(statement).mappings()
        if row["lease"] == lease
    ]


def _admitted(now: datetime) -> ColumnElement[bool]:
    """Whether the watcher's key or token is still valid, and its tenant there."""
    key = exists().where(
        api_keys.c.secret_hash == watchers.c.key_hash,
        api_keys.c.tenant_id == watchers.c.tenant_id,
        api_keys.c.revoked_at.is_(None),
        or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
    )
    tenant = exists().where(tenants.c.id == watchers.c.tenant_id, tenants.c.deleted_at.is_(None))
    return and_(
        or_(watchers.c.key_hash.is_(None), key),
        or_(watchers.c.expires_at.is_(None), watchers.c.expires_at > now),
        tenant,
    )


def let_go(connection: Connection, watcher: Watcher, watch: Watch, *, told_at: datetime) -> bool:
    """Record how far they were told, where the lease holds."""
    statement = (
        update(watchers)
        .values(looked_at=watch.looked_at, told=packed(watch.told), told_at=told_at, lease=None, lease_until=None)
        .where(in_tenant(watcher.principal.tenant_id, watchers), watchers.c.connection_id == watcher.connection_id)
        .where(watchers.c.lease == watcher.lease)
        .returning(watchers.c.again)
    )
    return bool(connection.execute(statement).scalar_one_or_none())


def forget_watcher(connection: Connection, connection_id: str) -> None:
    """Forget one."""
    connection.execute(delete(watchers).where(watchers.c.connection_id == connection_id))


def watched(connection: Connection, *, now: datetime, limit: int) -> list[PushRequest]:
    """Where somebody watches, after those are forgotten who left without a word."""
    connection.execute(delete(watchers).where(watchers.c.closes_at <= now))
    never = func.bool_or(watchers.c.looked_at.is_(None))
    since = case((never, None), else_=func.min(watchers.c.looked_at, type_=Moment()))
    place = (watchers.c.tenant_id, watchers.c.collection_id)
    statement = select(*place, since.label("since")).group_by(*place).order_by(since.asc().nulls_first()).limit(limit)
    return [PushRequest(*row) for row in connection.execute(statement)]

"""Subscriptions to collections, on WebSocket connections that API Gateway keeps.

Their table is called `watchers`.
"""

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

from modulo.adapters.postgres.pools import Pooled, autocommit, transaction
from modulo.adapters.postgres.rows import MEMBERSHIP, in_tenant, visible
from modulo.adapters.postgres.tables import api_keys, collections, members, tenants, users
from modulo.adapters.postgres.tables import watchers as subscriptions
from modulo.adapters.postgres.utc_timestamp import Moment
from modulo.domain.errors import NotFound
from modulo.domain.files.subscription import (
    StreamPosition,
    Subscription,
    SubscriptionDraft,
    decode_digests,
    encode_digests,
)
from modulo.domain.operations.messages import PushRequest
from modulo.domain.tenancy.identity import Principal, Scope


class PostgresSubscriptions(Pooled):
    """Subscriptions on WebSockets that API Gateway keeps."""

    @transaction
    def add_subscription(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        draft: SubscriptionDraft,
        *,
        limit: int,
        now: datetime,
    ) -> bool:
        """Add or replace it; the user is locked meanwhile, so that the limit holds under concurrency."""
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
            in_tenant(principal.tenant_id, subscriptions),
            subscriptions.c.user_id == principal.user_id,
            subscriptions.c.connection_id != draft.connection_id,
            subscriptions.c.closes_at > now,
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
            "told": encode_digests(frozenset()),
            "told_at": now,
            "lease": None,
            "lease_until": None,
            "again": False,
        }
        given = insert(subscriptions).values(connection_id=draft.connection_id, **values)
        connection.execute(given.on_conflict_do_update(constraint=subscriptions.primary_key, set_=values))
        return True

    @autocommit
    def lease_subscriptions(
        self,
        connection: Connection,
        tenant_id: UUID,
        collection_id: UUID,
        *,
        since: datetime | None,
        lease_until: datetime,
        now: datetime,
    ) -> list[Subscription]:
        """Lease those that are free; mark the others to be looked at again when they are released."""
        wanted = select(subscriptions.c.connection_id).where(
            in_tenant(tenant_id, subscriptions), subscriptions.c.collection_id == collection_id
        )
        if since is not None:
            wanted = wanted.where(or_(subscriptions.c.looked_at.is_(None), subscriptions.c.looked_at < since))
        found = wanted.order_by(subscriptions.c.connection_id).with_for_update().cte("found")
        lease, free = uuid4(), or_(subscriptions.c.lease_until.is_(None), subscriptions.c.lease_until <= now)
        taken = {
            "again": not_(free),
            "lease": case((free, literal(lease, Uuid())), else_=subscriptions.c.lease),
            "lease_until": case((free, lease_until), else_=subscriptions.c.lease_until),
        }
        statement = (
            update(subscriptions)
            .values(taken)
            .where(in_tenant(tenant_id, subscriptions), subscriptions.c.connection_id == found.c.connection_id)
            .returning(subscriptions, _authorized(now).label("authorized"))
        )
        return [
            Subscription(
                connection_id=row["connection_id"],
                principal=Principal(tenant_id, row["user_id"], frozenset({Scope.read})),
                collection_id=collection_id,
                authorized=row["authorized"],
                looked_at=row["looked_at"],
                delivered=decode_digests(row["told"]),
                delivered_at=row["told_at"],
                lease=lease,
            )
            for row in connection.execute(statement).mappings()
            if row["lease"] == lease
        ]

    @autocommit
    def release_subscription(
        self, connection: Connection, subscription: Subscription, position: StreamPosition, *, delivered_at: datetime
    ) -> bool:
        """Record how far its events were sent, if the lease still holds."""
        statement = (
            update(subscriptions)
            .values(
                looked_at=position.looked_at,
                told=encode_digests(position.delivered),
                told_at=delivered_at,
                lease=None,
                lease_until=None,
            )
            .where(
                in_tenant(subscription.principal.tenant_id, subscriptions),
                subscriptions.c.connection_id == subscription.connection_id,
            )
            .where(subscriptions.c.lease == subscription.lease)
            .returning(subscriptions.c.again)
        )
        return bool(connection.execute(statement).scalar_one_or_none())

    @autocommit
    def forget_subscription(self, connection: Connection, connection_id: str) -> None:
        """Delete it."""
        connection.execute(delete(subscriptions).where(subscriptions.c.connection_id == connection_id))

    @transaction
    def pending_pushes(self, connection: Connection, *, now: datetime, limit: int) -> list[PushRequest]:
        """Collections with subscriptions, after the expired ones are deleted."""
        connection.execute(delete(subscriptions).where(subscriptions.c.closes_at <= now))
        never = func.bool_or(subscriptions.c.looked_at.is_(None))
        since = case((never, None), else_=func.min(subscriptions.c.looked_at, type_=Moment()))
        place = (subscriptions.c.tenant_id, subscriptions.c.collection_id)
        statement = (
            select(*place, since.label("since")).group_by(*place).order_by(since.asc().nulls_first()).limit(limit)
        )
        return [PushRequest(*row) for row in connection.execute(statement)]


def _authorized(now: datetime) -> ColumnElement[bool]:
    """Whether the subscriber's key or token is still valid, and their tenant not deleted."""
    key = exists().where(
        api_keys.c.secret_hash == subscriptions.c.key_hash,
        api_keys.c.tenant_id == subscriptions.c.tenant_id,
        api_keys.c.revoked_at.is_(None),
        or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
    )
    tenant = exists().where(tenants.c.id == subscriptions.c.tenant_id, tenants.c.deleted_at.is_(None))
    return and_(
        or_(subscriptions.c.key_hash.is_(None), key),
        or_(subscriptions.c.expires_at.is_(None), subscriptions.c.expires_at > now),
        tenant,
    )

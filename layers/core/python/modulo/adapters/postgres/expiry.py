"""The end of what expires: collections that nobody used for long enough, and user files at their time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import INTERVAL

from modulo.adapters.postgres.announcements import WATCHED
from modulo.adapters.postgres.locks import lock_collection, note_change
from modulo.adapters.postgres.receipts import open_receipts
from modulo.adapters.postgres.rows import EDITORS, MEMBERSHIP, OF_COLLECTION, in_tenant
from modulo.adapters.postgres.tables import collections, files, members, user_files, users
from modulo.adapters.postgres.tombstones import tombstone
from modulo.adapters.postgres.user_files import end_user_file
from modulo.domain.tenancy.identity import Principal, Scope

_DAY = cast(literal("1 day"), INTERVAL())
_EXPIRES_AT = collections.c.last_active_at + collections.c.expires_after_days * _DAY
_EXPIRING = (collections.c.deleted_at.is_(None), collections.c.expires_after_days.is_not(None))


def next_expiries() -> list[Select[Any]]:
    """When the next of each kind expires."""
    return [
        select(func.min(_EXPIRES_AT)).where(*_EXPIRING),
        select(func.min(user_files.c.expires_at)).where(user_files.c.deleted_at.is_(None)),
    ]


def end_expired(connection: Connection, *, now: datetime, limit: int) -> None:
    """Tombstone what has expired, at most `limit` of each kind; this sweep has it purged."""
    _end_collections(connection, now, limit)
    _end_user_files(connection, now, limit)


def _end_collections(connection: Connection, now: datetime, limit: int) -> None:
    statement = (
        select(collections.c.tenant_id, collections.c.id, collections.c.name, collections.c.owner_id, WATCHED)
        .where(*_EXPIRING, now >= _EXPIRES_AT)
        .order_by(_EXPIRES_AT)
        .limit(limit)
        .with_for_update(of=collections, key_share=True, skip_locked=True)
    )
    for row in connection.execute(statement).mappings().all():
        note_change(connection, row)
        open_receipts(connection, row["tenant_id"], [row], None, now=now)
        at = (in_tenant(row["tenant_id"], collections), collections.c.id == row["id"])
        gone = {"deleted_at": now, "purge_after": now, "version": collections.c.version + 1}
        connection.execute(update(collections).values(gone).where(*at))
        connection.execute(
            update(users)
            .values(collection_count=users.c.collection_count - 1)
            .where(in_tenant(row["tenant_id"], users), users.c.id == row["owner_id"])
        )


def _end_user_files(connection: Connection, now: datetime, limit: int) -> None:
    """With their copies, as their users would delete them."""
    due = (
        select(user_files)
        .where(user_files.c.deleted_at.is_(None), user_files.c.expires_at <= now)
        .order_by(user_files.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    for row in connection.execute(due).mappings().all():
        principal = Principal(row["tenant_id"], row["user_id"], frozenset({Scope.write}))
        if _end_copies(connection, principal, row["id"], now):
            end_user_file(connection, principal, row["id"], now=now, purge_after=now)


def _end_copies(connection: Connection, principal: Principal, origin_id: UUID, now: datetime) -> bool:
    """Tombstone the copies that the user may delete; False where one is locked, so that the next sweep must."""
    statement = (
        select(files.c.id, files.c.name, files.c.collection_id)
        .join(collections, OF_COLLECTION)
        .join(members, MEMBERSHIP)
        .where(in_tenant(principal.tenant_id, files, collections, members), members.c.user_id == principal.user_id)
        .where(members.c.role.in_(EDITORS), collections.c.deleted_at.is_(None))
        .where(files.c.origin_id == origin_id, files.c.deleted_at.is_(None))
        .order_by(files.c.collection_id)
    )
    for row in connection.execute(statement).mappings().all():
        collection = lock_collection(connection, principal.tenant_id, row["collection_id"], waiting=False)
        if collection is None:
            return False
        tombstone(connection, principal, collection, [row], now=now)
    return True

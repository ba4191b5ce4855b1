"""Deletions of users: their rows at once, their collections and files by purges."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.pools import Pooled, read, transaction
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.tables import (
    api_keys,
    collections,
    conversations,
    deletions,
    files,
    members,
    messages,
    usage,
    user_files,
    users,
    watchers,
)
from modulo.adapters.postgres.tenants import remove_rows, tombstone_collections
from modulo.domain.errors import NotFound
from modulo.domain.files.user_file import UserFileRef
from modulo.domain.operations.deletion import DeletionKind, Removed, deletion_id
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.tenancy.identity import User

MAX_COLLECTIONS = 10_000
"""Which one user may own; quotas are far below."""
_OF_USER = (members.c.user_id, watchers.c.user_id, usage.c.user_id, api_keys.c.user_id)
"""What names a user and is removed at once; one who came back has it again."""
_OF_OTHERS = (collections.c.owner_id, files.c.created_by)
"""What names a user and stays."""


class PostgresUserDeletions(Pooled):
    """Users of a tenant, and how one is removed."""

    @read
    def list_users(
        self, connection: Connection, tenant_id: UUID, *, after: UUID | None, limit: int, name: str | None = None
    ) -> list[User]:
        """Some users, by id."""
        statement = select(users.c.tenant_id, users.c.id, users.c.name).where(in_tenant(tenant_id, users))
        if after is not None:
            statement = statement.where(users.c.id > after)
        if name is not None:
            statement = statement.where(users.c.name == name)
        found = connection.execute(statement.order_by(users.c.id).limit(limit)).mappings()
        return [User.model_validate(dict(row)) for row in found]

    @transaction
    def remove_user(
        self, connection: Connection, tenant_id: UUID, user_id: UUID, *, now: datetime
    ) -> tuple[PurgeRequest, ...]:
        """Remove the rows, tombstone the rest, and open or reopen the receipt."""
        _lock_belongings(connection, tenant_id, user_id)
        this = and_(in_tenant(tenant_id, users), users.c.id == user_id)
        row = connection.execute(select(users.c.name).where(this).with_for_update()).one_or_none()
        if row is None:
            if _receipt_there(connection, tenant_id, user_id):
                return ()
            raise NotFound("There is no such user.")
        whole = deletion_id(user_id)
        requests = tombstone_collections(
            connection, tenant_id, now, MAX_COLLECTIONS, collections.c.owner_id == user_id, part_of=whole
        )
        rows = _remove_rows(connection, tenant_id, user_id)
        gone = (
            update(user_files)
            .values(deleted_at=now, purge_after=now)
            .where(in_tenant(tenant_id, user_files), user_files.c.user_id == user_id, user_files.c.deleted_at.is_(None))
            .returning(user_files.c.id)
        )
        kept = [UserFileRef(tenant_id, user_id, id_) for id_ in connection.scalars(gone)]
        _open_receipt(connection, tenant_id, user_id, name=row.name, rows=rows, now=now)
        connection.execute(update(users).values(name="").where(this))
        return (*requests, *(PurgeRequest(tenant_id, user_file=ref) for ref in kept))

    @transaction
    def complete_removal(self, connection: Connection, tenant_id: UUID, user_id: UUID, *, now: datetime) -> bool:
        """Sum up what the parts removed, and forget the user where nothing names them."""
        this = and_(in_tenant(tenant_id, users), users.c.id == user_id)
        connection.execute(select(users.c.id).where(this).with_for_update())  # nothing new may name them meanwhile
        ours = and_(in_tenant(tenant_id, deletions), deletions.c.id == deletion_id(user_id))
        receipt = connection.execute(select(deletions).where(ours).with_for_update()).mappings().one_or_none()
        if receipt is None or receipt["completed_at"] is not None or _anything(connection, tenant_id, user_id):
            return False
        removed = Removed.model_validate(receipt["removed"])
        parts = and_(in_tenant(tenant_id, deletions), deletions.c.part_of == receipt["id"])
        for part in connection.scalars(select(deletions.c.removed).where(parts)).all():
            removed = removed.plus(Removed.model_validate(part))
        values = {"removed": removed.model_dump(mode="json"), "held": {}, "proved_at": now, "completed_at": now}
        connection.execute(update(deletions).values(values).where(ours))
        named = [
            exists().where(in_tenant(tenant_id, column.table), column == user_id) for column in (*_OF_OTHERS, *_OF_USER)
        ]
        connection.execute(delete(users).where(this, ~or_(*named)))
        return True


def _lock_belongings(connection: Connection, tenant_id: UUID, user_id: UUID) -> None:
    """Lock what others lock before the user, so that no two transactions wait for each other."""
    for column in (collections.c.owner_id, user_files.c.user_id, conversations.c.user_id):
        mine = select(column.table.c.id).where(in_tenant(tenant_id, column.table), column == user_id)
        connection.execute(mine.order_by(column.table.c.id).with_for_update(key_share=True))


def _receipt_there(connection: Connection, tenant_id: UUID, user_id: UUID) -> bool:
    ours = and_(in_tenant(tenant_id, deletions), deletions.c.id == deletion_id(user_id))
    return connection.execute(select(deletions.c.id).where(ours)).first() is not None


def _remove_rows(connection: Connection, tenant_id: UUID, user_id: UUID) -> Counter[str]:
    mine = and_(in_tenant(tenant_id, conversations), conversations.c.user_id == user_id)
    ids = connection.scalars(select(conversations.c.id).where(mine)).all()
    rows = Counter(remove_rows(connection, tenant_id, ids, messages.c.conversation_id, conversations.c.id))
    # Of collections of the user's own, the owner stays: who is none is told of no purge.
    owned = exists().where(
        in_tenant(tenant_id, collections),
        collections.c.id == members.c.collection_id,
        collections.c.owner_id == user_id,
    )
    for column in _OF_USER:
        more = (~owned,) if column is members.c.user_id else ()
        statement = delete(column.table).where(in_tenant(tenant_id, column.table), column == user_id, *more)
        rows[column.table.name] += connection.execute(statement).rowcount
    return rows


def _open_receipt(
    connection: Connection, tenant_id: UUID, user_id: UUID, *, name: str, rows: Counter[str], now: datetime
) -> None:
    """Begin the receipt; of a user who came back after a deletion, once more."""
    values: dict[str, Any] = {
        "name": name,
        "requested_at": now,
        "started_at": now,
        "removed": Removed(rows={table: number for table, number in rows.items() if number}).model_dump(mode="json"),
        "proved_at": None,
        "completed_at": None,
    }
    place = {"tenant_id": tenant_id, "id": deletion_id(user_id), "kind": DeletionKind.user.value, "target_id": user_id}
    statement = insert(deletions).values(place | values)
    again = statement.on_conflict_do_update(
        constraint=deletions.primary_key, set_=values, where=deletions.c.completed_at.is_not(None)
    )
    connection.execute(again)


def _anything(connection: Connection, tenant_id: UUID, user_id: UUID) -> bool:
    """Whether a purge is under way, or the user has come back and made something."""
    left = [
        exists().where(
            in_tenant(tenant_id, collections), collections.c.owner_id == user_id, collections.c.purged_at.is_(None)
        ),
        exists().where(in_tenant(tenant_id, user_files), user_files.c.user_id == user_id),
        exists().where(in_tenant(tenant_id, conversations), conversations.c.user_id == user_id),
        exists().where(
            in_tenant(tenant_id, deletions),
            deletions.c.part_of == deletion_id(user_id),
            deletions.c.completed_at.is_(None),
        ),
    ]
    return bool(connection.execute(select(or_(*left))).scalar_one())

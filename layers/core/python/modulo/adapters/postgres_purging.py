"""What is to be removed of deleted and replaced things, and the record that it was, in Postgres."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Integer,
    and_,
    any_,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from modulo.adapters.postgres_rows import OF_COLLECTION, SPACE, in_tenant, lock_collection, space, uncharge
from modulo.adapters.postgres_tables import collections, files, generations
from modulo.domain.file import Stage
from modulo.domain.transfer import Purge


def purge_of(connection: Connection, tenant_id: UUID, collection_id: UUID, file_id: UUID | None) -> Purge | None:
    """What is to be removed, or None where nothing is (any more)."""
    at = and_(in_tenant(tenant_id, collections), collections.c.id == collection_id)
    if file_id is None:
        whole = select(*SPACE).where(at, collections.c.deleted_at.is_not(None), collections.c.purged_at.is_(None))
        row = connection.execute(whole).mappings().one_or_none()
        return Purge(space(row), None, None) if row else None
    numbers = func.array_agg(aggregate_order_by(generations.c.number, generations.c.number), type_=ARRAY(Integer))
    retired = (
        select(numbers)
        .where(generations.c.tenant_id == files.c.tenant_id, generations.c.file_id == files.c.id)
        .where(generations.c.retired_at.is_not(None), generations.c.purged_at.is_(None))
        .correlate(files)
        .scalar_subquery()
    )
    statement = (
        select(*SPACE, files.c.deleted_at, retired.label("retired"))
        .join(files, OF_COLLECTION)
        .where(at, files.c.id == file_id, files.c.purged_at.is_(None))
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    if row["deleted_at"] is not None:
        return Purge(space(row), file_id, None)
    return Purge(space(row), file_id, tuple(row["retired"])) if row["retired"] else None


def purged(connection: Connection, purge: Purge, *, now: datetime) -> None:
    """Record that nothing is left of it, and give its bytes back; once."""
    tenant_id, collection_id = purge.space.tenant_id, purge.space.collection_id
    if not lock_collection(connection, tenant_id, collection_id, living=False):
        return
    if purge.file_id is None:
        released = _purged_collection(connection, tenant_id, collection_id, now)
    elif purge.generations is None:
        released = _purged_file(connection, tenant_id, purge.file_id, now)
    else:
        of_file = and_(in_tenant(tenant_id, generations), generations.c.file_id == purge.file_id)
        listed = generations.c.number == any_(bindparam(None, list(purge.generations), type_=ARRAY(Integer)))
        released = _purged_generations(
            connection, and_(of_file, listed, generations.c.retired_at.is_not(None)), now, stage=None
        )
    uncharge(connection, {(tenant_id, collection_id): released})


def _purged_collection(connection: Connection, tenant_id: UUID, collection_id: UUID, now: datetime) -> int:
    at = and_(in_tenant(tenant_id, collections), collections.c.id == collection_id)
    gone = (
        update(collections)
        .values(purged_at=now, purge_after=None)
        .where(at, collections.c.deleted_at.is_not(None), collections.c.purged_at.is_(None))
    )
    if connection.execute(gone).rowcount == 0:
        return 0
    of_collection = and_(in_tenant(tenant_id, files), files.c.collection_id == collection_id)
    connection.execute(
        update(files)
        .values(
            deleted_at=func.coalesce(files.c.deleted_at, now),
            purged_at=func.coalesce(files.c.purged_at, now),
            purge_after=None,
        )
        .where(of_collection)
    )
    ids = select(files.c.id).where(of_collection)
    of_files = and_(in_tenant(tenant_id, generations), generations.c.file_id.in_(ids))
    return _purged_generations(connection, of_files, now, stage=Stage.deleted)


def _purged_file(connection: Connection, tenant_id: UUID, file_id: UUID, now: datetime) -> int:
    at = and_(in_tenant(tenant_id, files), files.c.id == file_id)
    gone = (
        update(files)
        .values(purged_at=now, purge_after=None)
        .where(at, files.c.deleted_at.is_not(None), files.c.purged_at.is_(None))
    )
    if connection.execute(gone).rowcount == 0:
        return 0
    of_file = and_(in_tenant(tenant_id, generations), generations.c.file_id == file_id)
    return _purged_generations(connection, of_file, now, stage=Stage.deleted)


def _purged_generations(
    connection: Connection, which: ColumnElement[bool], now: datetime, *, stage: Stage | None
) -> int:
    """Mark generations as purged; the bytes that were charged for them."""
    size = select(func.coalesce(func.sum(generations.c.size_bytes), 0)).where(which, generations.c.charged)
    released = int(connection.execute(size).scalar_one())
    values: dict[str, Any] = {"purged_at": func.coalesce(generations.c.purged_at, now)}
    values |= {"purge_after": None, "charged": False}
    if stage is not None:
        values |= {"stage": stage.value, "claim_token": None, "lease_until": None}
    connection.execute(update(generations).values(values).where(which))
    return released

"""Purges: what is to be removed of deleted and replaced things, and the record that it was."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Integer,
    Label,
    RowMapping,
    Select,
    and_,
    any_,
    bindparam,
    delete,
    distinct,
    exists,
    func,
    not_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from modulo.adapters.postgres.charges import uncharge
from modulo.adapters.postgres.dead_letters import delete_letters_of_purged
from modulo.adapters.postgres.file_attributes import stored_attributes
from modulo.adapters.postgres.locks import lock_collection
from modulo.adapters.postgres.pools import Pooled, autocommit, transaction
from modulo.adapters.postgres.receipts import REVISION, close_receipt, lock_proof, receipt_revision
from modulo.adapters.postgres.rows import OF_COLLECTION, OF_FILE, SPACE, in_tenant, space, stored
from modulo.adapters.postgres.tables import (
    aliases,
    collections,
    deletions,
    file_batches,
    files,
    generations,
    indexes,
    parts,
)
from modulo.domain.collections.collection import EmbeddingModel, Space
from modulo.domain.files.file import Stage
from modulo.domain.files.generation import ERASED
from modulo.domain.operations.deletion import ReceiptRevision, deletion_id
from modulo.domain.operations.purge import Purge

_read = generations.alias("read")
_STILL_READ = exists().where(
    _read.c.tenant_id == generations.c.tenant_id,
    _read.c.file_id == generations.c.file_id,
    _read.c.source == generations.c.source,
    _read.c.retired_at.is_(None),
    _read.c.purged_at.is_(None),
)
"""Whether another generation still needs the object that this one was made from."""


def _collected(column: ColumnElement[Any], name: str, *conditions: ColumnElement[bool]) -> Label[Any]:
    """The values of the column among the retired generations of a file that are still to be purged, in order."""
    values = func.array_agg(aggregate_order_by(distinct(column), column), type_=ARRAY(Integer))
    statement = select(values).where(
        OF_FILE, generations.c.retired_at.is_not(None), generations.c.purged_at.is_(None), *conditions
    )
    return statement.correlate(files).scalar_subquery().label(name)


_RETIRED = _collected(generations.c.number, "retired")
_OBJECTS = _collected(generations.c.source, "objects", not_(_STILL_READ))
_OLDER = (
    select(func.jsonb_object_agg(indexes.c.number, indexes.c.embedding_model, type_=JSONB))
    .where(indexes.c.tenant_id == collections.c.tenant_id, indexes.c.collection_id == collections.c.id)
    .where(indexes.c.number != collections.c.index_number)
    .scalar_subquery()
    .label("older")
)


class PostgresPurging(Pooled):
    """What is to be removed of deleted and replaced things."""

    @autocommit
    def find_purge(
        self, connection: Connection, tenant_id: UUID, collection_id: UUID, file_id: UUID | None
    ) -> Purge | None:
        """Read what is to be removed, in one statement."""
        at = and_(in_tenant(tenant_id, collections), collections.c.id == collection_id)
        receipt = and_(
            deletions.c.tenant_id == collections.c.tenant_id, deletions.c.id == deletion_id(file_id or collection_id)
        )
        if file_id is None:
            whole = (
                select(*SPACE, _OLDER, *REVISION)
                .outerjoin(deletions, receipt)
                .where(at, collections.c.deleted_at.is_not(None), collections.c.purged_at.is_(None))
            )
            row = connection.execute(whole).mappings().one_or_none()
            return Purge(space(row), None, None, older=_older(row), receipt=_receipt(row)) if row else None
        statement = (
            select(*SPACE, _OLDER, *REVISION, files.c.deleted_at, _RETIRED, _OBJECTS)
            .join(files, OF_COLLECTION)
            .outerjoin(deletions, receipt)
            .where(at, collections.c.deleted_at.is_(None), files.c.id == file_id, files.c.purged_at.is_(None))
        )
        row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            return None
        if row["deleted_at"] is not None:
            return Purge(space(row), file_id, None, older=_older(row), receipt=_receipt(row))
        if not row["retired"]:
            return None
        return Purge(space(row), file_id, tuple(row["retired"]), tuple(row["objects"] or ()), _older(row))

    @transaction
    def mark_purged(self, connection: Connection, purge: Purge, *, now: datetime) -> bool:
        """Record that nothing is left of it, and release its storage; once."""
        tenant_id, collection_id = purge.tenant_id, purge.collection_id
        if not lock_collection(connection, tenant_id, collection_id, living=False):
            return False
        proven, until = lock_proof(connection, tenant_id, purge.receipt, now=now) if purge.receipt else (True, None)
        if not proven:
            return False
        released: int | None
        if until is not None:
            released = _postpone(connection, purge, until)
        elif purge.file_id is None:
            released = _purge_collection(connection, tenant_id, collection_id, now)
        elif purge.generations is None:
            released = _purge_file(connection, tenant_id, purge.file_id, now)
        else:
            of_file = and_(in_tenant(tenant_id, generations), generations.c.file_id == purge.file_id)
            listed = generations.c.number == any_(bindparam(None, list(purge.generations), type_=ARRAY(Integer)))
            which = and_(of_file, listed, generations.c.retired_at.is_not(None))
            inherited = () if purge.objects == purge.generations else _charge_heirs(connection, purge, which)
            released = _purge_generations(connection, which, now, whole=False, kept=inherited)
        if released is None:
            return False
        uncharge(connection, {(tenant_id, collection_id): released})
        if purge.receipt is not None:
            close_receipt(connection, tenant_id, purge.receipt, released, completed_at=None if until else now)
        delete_letters_of_purged(connection, tenant_id)
        return True


def spaces_where(connection: Connection, which: ColumnElement[bool]) -> list[Space]:
    """Every space of the collections that meet the condition."""
    rows = connection.execute(select(*SPACE, _OLDER).where(which)).mappings()
    return [found for row in rows for found in (space(row), *_older(row))]


def _receipt(row: RowMapping) -> ReceiptRevision | None:
    """None where it was deleted before there were receipts."""
    return receipt_revision(row) if row["deletion_id"] else None


def _older(row: RowMapping) -> tuple[Space, ...]:
    now = space(row)
    models = {int(number): EmbeddingModel.model_validate(model) for number, model in (row["older"] or {}).items()}
    return tuple(replace(now, model=model, index=number) for number, model in sorted(models.items()))


def _postpone(connection: Connection, purge: Purge, until: datetime) -> int:
    """Have it purged once more when nothing can arrive any more; the bytes that were charged for it."""
    table, target = (collections, purge.collection_id) if purge.file_id is None else (files, purge.file_id)
    at = and_(in_tenant(purge.tenant_id, table), table.c.id == target)
    connection.execute(update(table).values(purge_after=until).where(at))
    of_file = generations.c.file_id == purge.file_id
    if purge.file_id is None:
        of_file = generations.c.file_id.in_(_ids(purge.tenant_id, purge.collection_id))
    which = and_(in_tenant(purge.tenant_id, generations), of_file)
    released = _charged(connection, which)
    connection.execute(update(generations).values(charged=False).where(which, generations.c.charged))
    return released


def _ids(tenant_id: UUID, collection_id: UUID) -> Select[tuple[UUID]]:
    return select(files.c.id).where(in_tenant(tenant_id, files), files.c.collection_id == collection_id)


def _purge_collection(connection: Connection, tenant_id: UUID, collection_id: UUID, now: datetime) -> int | None:
    at = and_(in_tenant(tenant_id, collections), collections.c.id == collection_id)
    gone = (
        update(collections)
        .values(purged_at=now, purge_after=None, name="", name_key="")
        .where(at, collections.c.deleted_at.is_not(None), collections.c.purged_at.is_(None))
    )
    if connection.execute(gone).rowcount == 0:
        return None
    of_collection = and_(in_tenant(tenant_id, files), files.c.collection_id == collection_id)
    connection.execute(
        update(files)
        .values(
            deleted_at=func.coalesce(files.c.deleted_at, now),
            purged_at=func.coalesce(files.c.purged_at, now),
            purge_after=None,
            name="",
            **stored_attributes({}),
        )
        .where(of_collection)
    )
    ids = _ids(tenant_id, collection_id)
    connection.execute(delete(parts).where(in_tenant(tenant_id, parts), parts.c.file_id.in_(ids)))
    connection.execute(delete(aliases).where(in_tenant(tenant_id, aliases), aliases.c.collection_id == collection_id))
    batches = (in_tenant(tenant_id, file_batches), file_batches.c.collection_id == collection_id)
    connection.execute(delete(file_batches).where(*batches))
    of_files = and_(in_tenant(tenant_id, generations), generations.c.file_id.in_(ids))
    return _purge_generations(connection, of_files, now, whole=True)


def _purge_file(connection: Connection, tenant_id: UUID, file_id: UUID, now: datetime) -> int | None:
    at = and_(in_tenant(tenant_id, files), files.c.id == file_id)
    gone = (
        update(files)
        .values(purged_at=now, purge_after=None, name="", **stored_attributes({}))
        .where(at, files.c.deleted_at.is_not(None), files.c.purged_at.is_(None))
    )
    if connection.execute(gone).rowcount == 0:
        return None
    connection.execute(delete(parts).where(in_tenant(tenant_id, parts), parts.c.file_id == file_id))
    of_file = and_(in_tenant(tenant_id, generations), generations.c.file_id == file_id)
    return _purge_generations(connection, of_file, now, whole=True)


def _charge_heirs(connection: Connection, purge: Purge, which: ColumnElement[bool]) -> Sequence[int]:
    """Charge the bytes to another generation made from the same object, where there is one; the objects so kept."""
    heir = generations.alias("heir")
    heirs = (
        select(func.min(heir.c.number))
        .join(generations, and_(generations.c.tenant_id == heir.c.tenant_id, generations.c.file_id == heir.c.file_id))
        .where(which, generations.c.charged, heir.c.source == generations.c.source)
        .where(heir.c.retired_at.is_(None), heir.c.purged_at.is_(None), heir.c.stage != Stage.failed.value)
        .group_by(heir.c.source)
    )
    statement = (
        update(generations)
        .values(charged=True)
        .where(in_tenant(purge.space.tenant_id, generations), generations.c.file_id == purge.file_id)
        .where(generations.c.number.in_(heirs.correlate(None)))
        .returning(generations.c.source)
    )
    return connection.execute(statement).scalars().all()


def _purge_generations(
    connection: Connection, which: ColumnElement[bool], now: datetime, *, whole: bool, kept: Sequence[int] = ()
) -> int:
    """Mark generations as purged; the bytes that were charged for them, but for those of objects that are kept."""
    released = _charged(connection, and_(which, generations.c.source.not_in(kept)))
    values: dict[str, Any] = {"purged_at": func.coalesce(generations.c.purged_at, now)}
    values |= {"purge_after": None, "charged": False}
    if whole:
        values |= stored(ERASED) | {"document": {}, "creation_date": None, "mod_date": None}
    connection.execute(update(generations).values(values).where(which))
    return released


def _charged(connection: Connection, which: ColumnElement[bool]) -> int:
    size = select(func.coalesce(func.sum(generations.c.size_bytes), 0)).where(which, generations.c.charged)
    return int(connection.execute(size).scalar_one())

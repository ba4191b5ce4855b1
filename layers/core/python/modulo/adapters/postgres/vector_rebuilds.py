"""Vectors that are made anew: live files become generations to ingest, from the objects that are there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)

from modulo.adapters.postgres.index_switch import change_collection, drop_other_index, latest_index
from modulo.adapters.postgres.locks import lock_collection, note_change
from modulo.adapters.postgres.pools import Pooled, read, transaction
from modulo.adapters.postgres.reindexed_generations import add_reindexed, retired
from modulo.adapters.postgres.rows import IS_FETCHING, in_tenant, stored
from modulo.adapters.postgres.tables import collections, files, generations, parts
from modulo.domain.files.file import UNFINISHED, WORKING, FileRef, Stage
from modulo.domain.files.generation import REINDEX_WAIT, changes_on_end

_newest = generations.alias("newest")


class PostgresVectorRebuilds(Pooled):
    """Rebuilds of collections' vectors."""

    @read
    def list_collections(
        self, connection: Connection, *, after: tuple[UUID, UUID] | None, limit: int
    ) -> list[tuple[UUID, UUID]]:
        """Living collections of all tenants, in the order of the primary key."""
        key = (collections.c.tenant_id, collections.c.id)
        statement = select(*key).where(collections.c.deleted_at.is_(None)).order_by(*key).limit(limit)
        if after is not None:
            statement = statement.where(tuple_(*key) > tuple_(*after))
        return [(row.tenant_id, row.id) for row in connection.execute(statement)]

    @transaction
    def rebuild_vectors(
        self, connection: Connection, tenant_id: UUID, collection_id: UUID, *, now: datetime
    ) -> tuple[FileRef, ...]:
        """Rebuild one collection; nothing where it was deleted meanwhile."""
        collection = lock_collection(connection, tenant_id, collection_id)
        if collection is None:
            return ()
        note_change(connection, collection)
        return rebuild(connection, collection, now)


def rebuild(connection: Connection, collection: RowMapping, now: datetime) -> tuple[FileRef, ...]:
    """Have a locked collection's files ingested once more."""
    known = latest_index(connection, collection)
    if collection["other_index"] is not None and known is not None:
        drop_other_index(connection, collection, known, now)
    _start_again(connection, collection, now)
    live = _of_files(collection, files.c.live_generation == generations.c.number)
    connection.execute(update(generations).values(retired(now)).where(live))
    queued = add_reindexed(connection, live, collection["index_number"], now, collection_id=collection["id"])
    newest = (
        select(func.max(_newest.c.number))
        .where(_newest.c.tenant_id == files.c.tenant_id, _newest.c.file_id == files.c.id)
        .scalar_subquery()
    )
    shown = case((files.c.generation == files.c.live_generation, newest), else_=files.c.generation)
    connection.execute(
        update(files)
        .values(generation=shown, live_generation=None)
        .where(in_tenant(collection["tenant_id"], files), files.c.collection_id == collection["id"])
        .where(files.c.deleted_at.is_(None), files.c.live_generation.is_not(None))
    )
    change_collection(connection, collection, {"version": collections.c.version + 1, "updated_at": now})
    return queued


def _start_again(connection: Connection, collection: RowMapping, now: datetime) -> None:
    """Take what is unfinished from its workers: what they have written of it may be gone, parts included."""
    begun = or_(generations.c.stage.in_([stage.value for stage in WORKING]), generations.c.divided)
    unfinished = generations.c.stage.in_([stage.value for stage in UNFINISHED])
    which = _of_files(collection, unfinished)
    of_which = (parts.c.file_id == generations.c.file_id, parts.c.generation == generations.c.number)
    anew: dict[str, Any] = stored(changes_on_end(Stage.queued, now)) | {"lease_until": now, "divided": False}
    anew |= {"attempt": 0, "pages_done": 0, "deadline": now + REINDEX_WAIT}
    connection.execute(update(generations).values(anew).where(which, begun))  # first, as everywhere: see parts.py
    connection.execute(
        delete(parts).where(
            in_tenant(collection["tenant_id"], parts), exists().where(*of_which, which).correlate(parts)
        )
    )
    waits = or_(generations.c.stage == Stage.queued.value, IS_FETCHING)
    longer = {"deadline": func.greatest(generations.c.deadline, now + REINDEX_WAIT)}
    connection.execute(update(generations).values(longer).where(which, waits))


def _of_files(collection: RowMapping, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The generations of the collection's living files that meet the conditions."""
    of_living = exists().where(
        in_tenant(collection["tenant_id"], files),
        files.c.collection_id == collection["id"],
        files.c.deleted_at.is_(None),
        files.c.id == generations.c.file_id,
        *conditions,
    )
    return and_(in_tenant(collection["tenant_id"], generations), of_living)

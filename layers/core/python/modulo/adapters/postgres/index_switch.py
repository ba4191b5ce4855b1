"""The two indexes of a collection: which one searches see, and how they change places in one transaction."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    not_,
    select,
    true,
    update,
)

from modulo.adapters.postgres.locks import lock_collection
from modulo.adapters.postgres.reindexed_generations import retired
from modulo.adapters.postgres.rows import OF_COLLECTION, in_tenant
from modulo.adapters.postgres.tables import collections, files, generations, indexes
from modulo.domain.collections.reembedding import (
    IndexProgress,
    ReembeddingState,
)
from modulo.domain.files.file import Stage

_live, _reindexed = generations.alias("live"), generations.alias("reindexed")

_LIVE = and_(
    OF_COLLECTION,
    files.c.deleted_at.is_(None),
    _live.c.tenant_id == files.c.tenant_id,
    _live.c.file_id == files.c.id,
    _live.c.number == files.c.live_generation,
)
"""The live generations of a collection."""

_IS_READY = and_(_reindexed.c.stage == Stage.ready.value, _reindexed.c.retired_at.is_(None))

COUNTERPART = (
    select(*(_reindexed.c[name] for name in ("stage", "pages_total", "pages_done", "chunk_count", "problem")))
    .where(_reindexed.c.tenant_id == files.c.tenant_id, _reindexed.c.file_id == files.c.id)
    .where(_reindexed.c.index_number == collections.c.other_index, _reindexed.c.source >= _live.c.source)
    .where(_reindexed.c.retired_at.is_(None) | (_reindexed.c.stage == Stage.failed.value))
    .order_by(_IS_READY.desc(), _reindexed.c.number.desc())
    .limit(1)
    .correlate(files, collections, _live)
    .lateral("counterpart")
)
"""What a live generation is in the other index: it, or a later upload of the file."""

READY = COUNTERPART.c.stage == Stage.ready.value

FAILED = COUNTERPART.c.stage == Stage.failed.value

MISSING = (
    select(files.c.id)
    .select_from(files.join(_live, _LIVE).outerjoin(COUNTERPART, true()))
    .where(not_(func.coalesce(READY, False)))
    .correlate(collections)
    .exists()
)
"""Whether a live file of a collection is not ready in the other index."""

_OPEN = and_(
    indexes.c.ended_at.is_(None),
    indexes.c.state.is_not(None),
    indexes.c.tenant_id == collections.c.tenant_id,
    indexes.c.collection_id == collections.c.id,
    collections.c.deleted_at.is_(None),
)
"""An index that may yet be switched to, or dropped, with its collection."""

_BUILDING = and_(indexes.c.state == ReembeddingState.building.value, indexes.c.auto_switch)

_SWITCHED = indexes.c.state == ReembeddingState.switched.value


def advance_reembeddings(connection: Connection, *, now: datetime, limit: int) -> None:
    """Switch to complete indexes that may be switched to, and drop old ones that are kept no longer."""
    complete = and_(_BUILDING, not_(MISSING))
    over = and_(_SWITCHED, indexes.c.kept_until <= now)
    statement = select(collections.c.tenant_id, collections.c.id).where(_OPEN, complete | over).limit(limit)
    for tenant_id, collection_id in connection.execute(statement).all():
        row = lock_collection(connection, tenant_id, collection_id, waiting=False)
        known = latest_index(connection, row) if row is not None else None
        if row is None or known is None or known["ended_at"] is not None:
            continue
        if known["kept_until"] is not None and known["kept_until"] <= now:
            drop_other_index(connection, row, known, now)
        elif (
            known["state"] == ReembeddingState.building
            and known["auto_switch"]
            and count_files(connection, row).complete
        ):
            switch(connection, row, known, now)


def next_reembedding_due() -> ScalarSelect[datetime | None]:
    """When `advance_reembeddings` is next due: at once while an index is being completed, else when one expires."""
    due = case((_SWITCHED, indexes.c.kept_until), (_BUILDING, indexes.c.started_at))
    return select(func.min(due)).select_from(indexes.join(collections, _OPEN)).scalar_subquery()


def switch(connection: Connection, collection: RowMapping, known: RowMapping, now: datetime) -> None:
    """Have searches see the other index; keep the one they saw, or drop it if this is the rollback."""
    back = known["state"] == ReembeddingState.switched
    old, new = collection["index_number"], collection["other_index"]
    indexes_here = in_collection(collection)
    connection.execute(
        update(indexes).values(chunking=collection["chunking"]).where(indexes_here, indexes.c.number == old)
    )
    target = connection.execute(select(indexes).where(indexes_here, indexes.c.number == new)).mappings().one()
    connection.execute(_point_files(collection, new))
    index_values = {name: target[name] for name in ("embedding_model", "chunking")}
    versions = {"index_number": new, "other_index": None if back else old, "version": collections.c.version + 1}
    change_collection(connection, collection, index_values | versions | {"updated_at": now})
    if back:
        values = {"state": ReembeddingState.rolled_back.value, "kept_until": None, "ended_at": now}
        retire_index(connection, collection, old, now)
    else:
        until = now + timedelta(seconds=known["keep_seconds"])
        values = {"state": ReembeddingState.switched.value, "switched_at": now, "kept_until": until}
    connection.execute(update(indexes).values(values).where(indexes_here, indexes.c.number == known["number"]))


def drop_other_index(connection: Connection, collection: RowMapping, known: RowMapping, now: datetime) -> None:
    """Have the index purged that searches do not see."""
    retire_index(connection, collection, collection["other_index"], now)
    change_collection(connection, collection, {"other_index": None, "updated_at": now})
    state = ReembeddingState.cancelled if known["state"] == ReembeddingState.building else ReembeddingState.switched
    values = {"state": state.value, "kept_until": None, "ended_at": now}
    connection.execute(
        update(indexes).values(values).where(in_collection(collection), indexes.c.number == known["number"])
    )


def retire_index(connection: Connection, collection: RowMapping, index: int, now: datetime) -> None:
    """Have what was made for an index purged; a file's newest generation that is not ready in it yet goes on."""
    connection.execute(
        update(generations)
        .values(retired(now))
        .where(in_tenant(collection["tenant_id"], generations, files), files.c.id == generations.c.file_id)
        .where(files.c.collection_id == collection["id"], files.c.deleted_at.is_(None))
        .where(generations.c.index_number == index, generations.c.retired_at.is_(None))
        .where((generations.c.stage == Stage.ready.value) | (generations.c.number != files.c.generation))
    )


def _point_files(collection: RowMapping, index: int) -> Any:
    """Let each file's live and newest generation be what these are in the index."""
    of_file = and_(
        _reindexed.c.tenant_id == files.c.tenant_id,
        _reindexed.c.file_id == files.c.id,
        _reindexed.c.index_number == index,
    )
    newest = (
        select(_live.c.source)
        .where(_live.c.tenant_id == files.c.tenant_id, _live.c.file_id == files.c.id)
        .where(_live.c.number == files.c.generation)
        .correlate(files)
        .scalar_subquery()
    )
    best = select(_reindexed.c.number).where(of_file)
    live = best.where(_IS_READY).order_by(_reindexed.c.source.desc(), _reindexed.c.number.desc()).limit(1)
    same = best.where(_reindexed.c.source == newest)
    same = same.where(_reindexed.c.retired_at.is_(None) | (_reindexed.c.stage == Stage.failed.value))
    same = same.order_by(_IS_READY.desc(), _reindexed.c.number.desc()).limit(1)
    return (
        update(files)
        .values(
            live_generation=live.scalar_subquery(),
            generation=func.coalesce(same.scalar_subquery(), files.c.generation),
        )
        .where(in_tenant(collection["tenant_id"], files), files.c.collection_id == collection["id"])
        .where(files.c.deleted_at.is_(None))
    )


def in_collection(collection: RowMapping) -> ColumnElement[bool]:
    """The collection's indexes."""
    return and_(in_tenant(collection["tenant_id"], indexes), indexes.c.collection_id == collection["id"])


def change_collection(connection: Connection, collection: RowMapping, values: Mapping[str, Any]) -> RowMapping:
    """The row of a locked collection with new values."""
    statement = (
        update(collections)
        .values(values)
        .where(in_tenant(collection["tenant_id"], collections), collections.c.id == collection["id"])
        .returning(collections)
    )
    return connection.execute(statement).mappings().one()


def latest_index(connection: Connection, collection: RowMapping) -> RowMapping | None:
    """The index that the latest re-embedding made; None where there was none."""
    statement = (
        select(indexes)
        .where(in_collection(collection), indexes.c.state.is_not(None))
        .order_by(indexes.c.number.desc())
        .limit(1)
    )
    return connection.execute(statement).mappings().one_or_none()


def counterparts(collection: RowMapping, *columns: Any) -> Select[Any]:
    """The collection's live files, each with what it is in the other index."""
    return (
        select(*columns)
        .select_from(collections)
        .join(files, OF_COLLECTION)
        .join(_live, _LIVE)
        .outerjoin(COUNTERPART, true())
        .where(in_tenant(collection["tenant_id"], collections), collections.c.id == collection["id"])
    )


def count_files(connection: Connection, collection: RowMapping) -> IndexProgress:
    """How far the other index is."""
    pages = func.coalesce(COUNTERPART.c.pages_total, _live.c.pages_total, _live.c.pages_done)  # an archive has files
    counts = counterparts(
        collection,
        func.count(),
        func.count().filter(READY),
        func.count().filter(FAILED),
        func.coalesce(func.sum(pages), 0),
        func.coalesce(func.sum(COUNTERPART.c.pages_done), 0),
        func.coalesce(func.sum(COUNTERPART.c.chunk_count).filter(READY), 0),
    )
    return IndexProgress(*map(int, connection.execute(counts).one()))

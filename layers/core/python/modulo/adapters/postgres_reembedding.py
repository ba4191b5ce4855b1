"""Re-embeddings in Postgres: an index is built beside the current one, and the two change places in one transaction."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    and_,
    case,
    exists,
    func,
    not_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres_rows import MEMBERSHIP, OF_COLLECTION, in_tenant, lock_collection, locked, visible
from modulo.adapters.postgres_tables import collections, files, generations, indexes, members
from modulo.adapters.postgres_twins import add_twins, retired
from modulo.domain.errors import NotFound
from modulo.domain.file import Stage
from modulo.domain.identity import Principal, Role
from modulo.domain.reembedding import (
    FIRST_QUEUED,
    MOST_FAILURES,
    FailedFile,
    Reembedding,
    ReembeddingDraft,
    Started,
    State,
    Tally,
    counted,
    never,
    not_in,
    phase,
    under_way,
)

_live, _twin = generations.alias("live"), generations.alias("twin")
_LIVE = and_(
    OF_COLLECTION,
    files.c.deleted_at.is_(None),
    _live.c.tenant_id == files.c.tenant_id,
    _live.c.file_id == files.c.id,
    _live.c.number == files.c.live_generation,
)
"""The live generations of a collection."""
_IS_READY = and_(_twin.c.stage == Stage.ready.value, _twin.c.retired_at.is_(None))
_COUNTERPART = (
    select(*(_twin.c[name] for name in ("stage", "pages_total", "pages_done", "chunk_count", "problem")))
    .where(_twin.c.tenant_id == files.c.tenant_id, _twin.c.file_id == files.c.id)
    .where(_twin.c.index_number == collections.c.other_index, _twin.c.source >= _live.c.source)
    .where(_twin.c.retired_at.is_(None) | (_twin.c.stage == Stage.failed.value))
    .order_by(_IS_READY.desc(), _twin.c.number.desc())
    .limit(1)
    .correlate(files, collections, _live)
    .lateral("counterpart")
)
"""What a live generation is in the other index: it, or a later upload of the file."""
_READY = _COUNTERPART.c.stage == Stage.ready.value
_FAILED = _COUNTERPART.c.stage == Stage.failed.value
MISSING = (
    select(files.c.id)
    .select_from(files.join(_live, _LIVE).outerjoin(_COUNTERPART, true()))
    .where(not_(func.coalesce(_READY, False)))
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
"""An index that may yet be switched to, or given up, with its collection."""
_BUILDING = and_(indexes.c.state == State.building.value, indexes.c.auto_switch)
_SWITCHED = indexes.c.state == State.switched.value


def start(
    connection: Connection, principal: Principal, collection_id: UUID, draft: ReembeddingDraft, *, now: datetime
) -> Started:
    """Open another index and queue every live file for it."""
    collection = locked(connection, principal, collection_id, Role.owner)
    known = _latest(connection, collection)
    if known is not None and known["draft_id"] == draft.id:
        return Started(_view(connection, collection, known, now), ())
    if collection["other_index"] is not None:
        raise under_way()
    number = max(collection["index_number"], known["number"] if known else 1) + 1
    at = {"tenant_id": principal.tenant_id, "collection_id": collection_id}
    own = {"embedding_model": collection["embedding_model"], "chunking": collection["chunking"]}
    first = insert(indexes).values(at | own | {"number": collection["index_number"]})
    connection.execute(first.on_conflict_do_nothing())
    values = {
        "number": number,
        "embedding_model": draft.model.model_dump(mode="json"),
        "chunking": draft.chunking.model_dump() if draft.chunking else own["chunking"],
        "state": State.building.value,
        "draft_id": draft.id,
        "replaces": collection["index_number"],
        "auto_switch": draft.auto_switch,
        "keep_seconds": draft.keep_seconds,
        "started_at": now,
    }
    made = connection.execute(insert(indexes).values(at | values).returning(indexes)).mappings().one()
    changed = _change(connection, collection, {"other_index": number, "updated_at": now})
    is_live = exists().where(
        in_tenant(principal.tenant_id, files),
        files.c.collection_id == collection_id,
        files.c.deleted_at.is_(None),
        files.c.id == generations.c.file_id,
        files.c.live_generation == generations.c.number,
    )
    every = and_(in_tenant(principal.tenant_id, generations), is_live)
    queued = add_twins(connection, every, number, now, collection_id=collection_id)
    return Started(_view(connection, changed, made, now), queued[:FIRST_QUEUED])


def get(connection: Connection, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
    """The latest one."""
    statement = select(collections).join(members, MEMBERSHIP).where(visible(principal, collection_id))
    collection = connection.execute(statement).mappings().one_or_none()
    if collection is None:
        raise NotFound
    known = _latest(connection, collection)
    if known is None:
        raise never()
    return _view(connection, collection, known, now)


def move(
    connection: Connection, principal: Principal, collection_id: UUID, state: State, *, leave_out: bool, now: datetime
) -> Reembedding:
    """Switch to the index that was built, or back."""
    collection = locked(connection, principal, collection_id, Role.owner)
    known = _open(connection, collection)
    needed = State.building if state is State.switched else State.switched
    if known["state"] != needed:
        raise not_in(needed)
    _tally(connection, collection).check(leave_out=leave_out)
    switch(connection, collection, known, now)
    return get(connection, principal, collection_id, now=now)


def end(connection: Connection, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
    """Give the index up that searches do not see."""
    collection = locked(connection, principal, collection_id, Role.owner)
    give_up(connection, collection, _open(connection, collection), now)
    return get(connection, principal, collection_id, now=now)


def turn_over(connection: Connection, *, now: datetime, limit: int) -> None:
    """Switch what is complete and waits for no one, and give up what cannot be rolled back any more."""
    complete = and_(_BUILDING, not_(MISSING))
    over = and_(_SWITCHED, indexes.c.kept_until <= now)
    statement = select(collections.c.tenant_id, collections.c.id).where(_OPEN, complete | over).limit(limit)
    for tenant_id, collection_id in connection.execute(statement).all():
        row = lock_collection(connection, tenant_id, collection_id, waiting=False)
        known = _latest(connection, row) if row is not None else None
        if row is None or known is None or known["ended_at"] is not None:
            continue
        if known["kept_until"] is not None and known["kept_until"] <= now:
            give_up(connection, row, known, now)
        elif known["state"] == State.building and known["auto_switch"] and _tally(connection, row).complete:
            switch(connection, row, known, now)


def turns_over() -> ScalarSelect[datetime | None]:
    """When `turn_over` is next to look: once an index need not be kept, and while one waits to be complete, at once."""
    due = case((_SWITCHED, indexes.c.kept_until), (_BUILDING, indexes.c.started_at))
    return select(func.min(due)).select_from(indexes.join(collections, _OPEN)).scalar_subquery()


def switch(connection: Connection, collection: RowMapping, known: RowMapping, now: datetime) -> None:
    """Have searches see the other index, and keep the one they saw, or give it up where this is the way back."""
    back = known["state"] == State.switched
    old, new = collection["index_number"], collection["other_index"]
    at = _at(collection)
    connection.execute(update(indexes).values(chunking=collection["chunking"]).where(at, indexes.c.number == old))
    there = connection.execute(select(indexes).where(at, indexes.c.number == new)).mappings().one()
    connection.execute(_point_files(collection, new))
    made = {name: there[name] for name in ("embedding_model", "chunking")}
    versions = {"index_number": new, "other_index": None if back else old, "version": collections.c.version + 1}
    _change(connection, collection, made | versions | {"updated_at": now})
    if back:
        told = {"state": State.rolled_back.value, "kept_until": None, "ended_at": now}
        retire(connection, collection, old, now)
    else:
        until = now + timedelta(seconds=known["keep_seconds"])
        told = {"state": State.switched.value, "switched_at": now, "kept_until": until}
    connection.execute(update(indexes).values(told).where(at, indexes.c.number == known["number"]))


def give_up(connection: Connection, collection: RowMapping, known: RowMapping, now: datetime) -> None:
    """Have the index purged that searches do not see."""
    retire(connection, collection, collection["other_index"], now)
    _change(connection, collection, {"other_index": None, "updated_at": now})
    state = State.cancelled if known["state"] == State.building else State.switched
    told = {"state": state.value, "kept_until": None, "ended_at": now}
    connection.execute(update(indexes).values(told).where(_at(collection), indexes.c.number == known["number"]))


def retire(connection: Connection, collection: RowMapping, index: int, now: datetime) -> None:
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
    of_file = and_(_twin.c.tenant_id == files.c.tenant_id, _twin.c.file_id == files.c.id, _twin.c.index_number == index)
    newest = (
        select(_live.c.source)
        .where(_live.c.tenant_id == files.c.tenant_id, _live.c.file_id == files.c.id)
        .where(_live.c.number == files.c.generation)
        .correlate(files)
        .scalar_subquery()
    )
    best = select(_twin.c.number).where(of_file)
    live = best.where(_IS_READY).order_by(_twin.c.source.desc(), _twin.c.number.desc()).limit(1)
    same = best.where(_twin.c.source == newest)
    same = same.where(_twin.c.retired_at.is_(None) | (_twin.c.stage == Stage.failed.value))
    same = same.order_by(_IS_READY.desc(), _twin.c.number.desc()).limit(1)
    return (
        update(files)
        .values(
            live_generation=live.scalar_subquery(),
            generation=func.coalesce(same.scalar_subquery(), files.c.generation),
        )
        .where(in_tenant(collection["tenant_id"], files), files.c.collection_id == collection["id"])
        .where(files.c.deleted_at.is_(None))
    )


def _at(collection: RowMapping) -> ColumnElement[bool]:
    return and_(in_tenant(collection["tenant_id"], indexes), indexes.c.collection_id == collection["id"])


def _change(connection: Connection, collection: RowMapping, values: Mapping[str, Any]) -> RowMapping:
    statement = (
        update(collections)
        .values(values)
        .where(in_tenant(collection["tenant_id"], collections), collections.c.id == collection["id"])
        .returning(collections)
    )
    return connection.execute(statement).mappings().one()


def _latest(connection: Connection, collection: RowMapping) -> RowMapping | None:
    statement = (
        select(indexes).where(_at(collection), indexes.c.state.is_not(None)).order_by(indexes.c.number.desc()).limit(1)
    )
    return connection.execute(statement).mappings().one_or_none()


def _open(connection: Connection, collection: RowMapping) -> RowMapping:
    known = _latest(connection, collection)
    if known is None:
        raise never()
    if known["ended_at"] is not None:
        raise not_in(State(known["state"]))
    return known


def _counterparts(collection: RowMapping, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(collections)
        .join(files, OF_COLLECTION)
        .join(_live, _LIVE)
        .outerjoin(_COUNTERPART, true())
        .where(in_tenant(collection["tenant_id"], collections), collections.c.id == collection["id"])
    )


def _tally(connection: Connection, collection: RowMapping) -> Tally:
    pages = func.coalesce(_COUNTERPART.c.pages_total, _live.c.pages_total, _live.c.pages_done)  # an archive has files
    counts = _counterparts(
        collection,
        func.count(),
        func.count().filter(_READY),
        func.count().filter(_FAILED),
        func.coalesce(func.sum(pages), 0),
        func.coalesce(func.sum(_COUNTERPART.c.pages_done), 0),
        func.coalesce(func.sum(_COUNTERPART.c.chunk_count).filter(_READY), 0),
    )
    return Tally(*map(int, connection.execute(counts).one()))


def _view(connection: Connection, collection: RowMapping, known: RowMapping, now: datetime) -> Reembedding:
    state = State(known["state"])
    tally = Tally()
    failures: tuple[FailedFile, ...] = ()
    told: dict[str, object] = {}
    if known["ended_at"] is None:
        tally = _tally(connection, collection)
        told = counted(tally, state=state, started_at=known["started_at"], now=now)
    if tally.failed:
        which = _counterparts(collection, files.c.id, files.c.name, _COUNTERPART.c.problem)
        rows = connection.execute(which.where(_FAILED).order_by(files.c.name).limit(MOST_FAILURES))
        failures = tuple(FailedFile(file_id=id_, name=name, problem=problem) for id_, name, problem in rows)
    return Reembedding.model_validate(
        {
            "collection_id": collection["id"],
            "state": phase(state, tally),
            "embedding_model": known["embedding_model"]["name"],
            "rollback_until": known["kept_until"],
            "failures": failures,
            **{name: known[name] for name in ("chunking", "auto_switch", "started_at", "switched_at", "ended_at")},
            **told,
        }
    )

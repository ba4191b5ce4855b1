"""What a sweep finds in Postgres: the overdue, the stalled and the unpurged of all tenants."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Integer, Table, Uuid, and_, case, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from modulo.adapters.metadata_rules import problem
from modulo.adapters.postgres_announcing import WATCHED, note
from modulo.adapters.postgres_letters import forget_old
from modulo.adapters.postgres_parts import LIVING
from modulo.adapters.postgres_reembedding import turn_over, turns_over
from modulo.adapters.postgres_rows import WAS_CHARGED, arrays, changing, stored, uncharge
from modulo.adapters.postgres_tables import collections, files, generations, parts, tenants
from modulo.domain.file import UNFINISHED, FileRef, Stage
from modulo.domain.generation import ASK_AGAIN_AFTER, DEADLINE_EXCEEDED, NEVER_UPLOADED, failed, requeued
from modulo.domain.transfer import PurgeRequest, Swept

_LOCK = 0x7377656570  # any number no other program uses
_UNFINISHED = generations.c.stage.in_([stage.value for stage in UNFINISHED])

_REF = (
    files.c.tenant_id,
    files.c.collection_id,
    generations.c.file_id,
    generations.c.number,
    generations.c.source,
)
"""The columns of a `FileRef`."""


def sweep(connection: Connection, *, now: datetime, limit: int) -> Swept:
    """One sweep at a time; a second one waits for the first and finds what that left."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    turn_over(connection, now=now, limit=limit)
    found = _Found(limit)
    return Swept(
        failed=_end_overdue(connection, now, found),
        requeue=_requeue_stalled(connection, now, found),
        purge=_ask_for_purges(connection, now, found),
        since=found.since,
        more=found.more,
        forgotten=forget_old(connection, now=now, limit=limit),
        due=_next(connection),  # last: of what the others left
    )


def _next(connection: Connection) -> datetime | None:
    """When something is next due: the first entry of each index that finds it."""
    purges = [select(func.min(table.c.purge_after)) for table in (tenants, collections, files, generations)]
    moments = [select(func.min(generations.c[name])).where(_UNFINISHED) for name in ("deadline", "lease_until")]
    firsts = [one.scalar_subquery() for one in (*moments, *purges)]
    found: datetime | None = connection.execute(select(func.least(*firsts, turns_over()))).scalar_one()
    return found


@dataclass(slots=True)
class _Found:
    """What the kinds say together."""

    limit: int
    since: dict[str, datetime] = field(default_factory=dict)
    more: bool = False

    def add(self, kind: str, moments: Iterable[datetime], *, selected: int) -> None:
        earliest = min(filter(None, (self.since.get(kind), *moments)), default=None)
        if earliest is not None:
            self.since[kind] = earliest
        self.more = self.more or selected == self.limit


def _end_overdue(connection: Connection, now: datetime, found: _Found) -> tuple[FileRef, ...]:
    overdue = and_(_UNFINISHED, generations.c.deadline <= now)
    statement = (
        select(*_REF, generations.c.deadline).where(LIVING, overdue).order_by(generations.c.deadline).limit(found.limit)
    )
    late = {FileRef(*row[:5]): row.deadline for row in connection.execute(statement)}
    held = _held(connection, list(late))
    given = arrays(
        tenant_id=(Uuid(), [ref.tenant_id for ref in held]),
        file_id=(Uuid(), [ref.file_id for ref in held]),
        number=(Integer(), [ref.generation for ref in held]),
    )
    why = case(
        (generations.c.stage == Stage.awaiting_upload.value, literal(problem(NEVER_UPLOADED), JSONB)),
        else_=literal(problem(DEADLINE_EXCEEDED), JSONB),
    )
    ended = (
        update(generations)
        .values(stored(failed(DEADLINE_EXCEEDED, now)) | {"problem": why})
        .where(
            overdue,
            generations.c.tenant_id == given.c.tenant_id,
            generations.c.file_id == given.c.file_id,
            generations.c.number == given.c.number,
        )
        .returning(generations.c.tenant_id, generations.c.file_id, generations.c.number, WAS_CHARGED)
    )
    sizes = {tuple(row[:3]): row.was_charged for row in connection.execute(ended)} if held else {}
    if sizes:
        connection.execute(
            delete(parts).where(
                parts.c.tenant_id == given.c.tenant_id,
                parts.c.file_id == given.c.file_id,
                parts.c.generation == given.c.number,
            )
        )
    gone = tuple(ref for ref in held if _key(ref) in sizes)
    found.add("failed", [late[ref] for ref in gone], selected=len(late))
    released: defaultdict[tuple[UUID, UUID], int] = defaultdict(int)
    for ref in gone:
        released[ref.tenant_id, ref.collection_id] += sizes[_key(ref)]
    uncharge(connection, released)
    return gone


def _key(ref: FileRef) -> tuple[UUID, UUID, int]:
    return ref.tenant_id, ref.file_id, ref.generation


def _held(connection: Connection, found: Sequence[FileRef]) -> list[FileRef]:
    """Those of the generations whose collections nobody else is changing: the next sweep finds the others."""
    places = sorted({(ref.tenant_id, ref.collection_id) for ref in found})
    if not places:
        return []
    given = arrays(tenant_id=(Uuid(), [tenant for tenant, _ in places]), id=(Uuid(), [id_ for _, id_ in places]))
    statement = (
        select(collections.c.tenant_id, collections.c.id, WATCHED)
        .where(collections.c.tenant_id == given.c.tenant_id, collections.c.id == given.c.id)
        .where(collections.c.deleted_at.is_(None))
        .with_for_update(of=collections, key_share=True, skip_locked=True)
    )
    rows = connection.execute(statement).mappings().all()
    for row in rows:
        changing(connection, row)
    locked = {(row["tenant_id"], row["id"]) for row in rows}
    return [ref for ref in found if (ref.tenant_id, ref.collection_id) in locked]


def _requeue_stalled(connection: Connection, now: datetime, found: _Found) -> tuple[FileRef, ...]:
    """Take stalled generations from their workers; they are named again where nobody claims them."""
    stalled = (
        select(*_REF, generations.c.lease_until, WATCHED)
        .where(LIVING, _UNFINISHED, generations.c.lease_until <= now, generations.c.deadline > now)
        .order_by(generations.c.lease_until)
        .limit(found.limit)
        .with_for_update(of=generations, skip_locked=True)
        .cte("stalled")
    )
    statement = (
        update(generations)
        .values(stored(requeued(now)))
        .where(
            generations.c.tenant_id == stalled.c.tenant_id,
            generations.c.file_id == stalled.c.file_id,
            generations.c.number == stalled.c.number,
        )
        .returning(*stalled.c)
    )
    rows = connection.execute(statement).all()
    for row in rows:
        note(connection, row.tenant_id, row.collection_id, row.watched)
    found.add("requeue", [row.lease_until for row in rows], selected=len(rows))
    return tuple(FileRef(*row[:5]) for row in rows)


def _ask_for_purges(connection: Connection, now: datetime, found: _Found) -> tuple[PurgeRequest, ...]:
    """Whatever should have been purged by now; it is named again later where it still is not."""
    requests = [PurgeRequest(row.id) for row in _postponed(connection, tenants, now, found)]
    requests += [PurgeRequest(row.tenant_id, row.id) for row in _postponed(connection, collections, now, found, "id")]
    requests += [
        PurgeRequest(row.tenant_id, row.collection_id, row.id)
        for row in _postponed(connection, files, now, found, "id", "collection_id")
    ]
    retired = {"retired_at": func.coalesce(generations.c.retired_at, now)}
    rows = _postponed(connection, generations, now, found, "file_id", "number", **retired)
    return tuple(dict.fromkeys(requests + _of_files(connection, {(row.tenant_id, row.file_id) for row in rows})))


def _postponed(
    connection: Connection, table: Table, now: datetime, found: _Found, *columns: str, **values: Any
) -> Sequence[Any]:
    key = [column.name for column in table.primary_key]
    due = (
        select(*(table.c[name] for name in key), table.c.purge_after.label("since"))
        .where(table.c.purge_after <= now)
        .order_by(table.c.purge_after)
        .limit(found.limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(table)
        .values(purge_after=now + ASK_AGAIN_AFTER, **values)
        .where(*(table.c[name] == due.c[name] for name in key))
        .returning(table.c[key[0]], *(table.c[name] for name in columns), due.c.since)
    )
    rows = connection.execute(statement).all()
    found.add("purge", [row.since for row in rows], selected=len(rows))
    return rows


def _of_files(connection: Connection, found: set[tuple[UUID, UUID]]) -> list[PurgeRequest]:
    if not found:
        return []
    given = arrays(tenant_id=(Uuid(), [tenant for tenant, _ in found]), id=(Uuid(), [id_ for _, id_ in found]))
    statement = select(files.c.tenant_id, files.c.collection_id, files.c.id).where(
        files.c.tenant_id == given.c.tenant_id, files.c.id == given.c.id
    )
    return [PurgeRequest(*row) for row in connection.execute(statement)]

"""Sweeps: end what is overdue, requeue what is stalled, and name what is not purged yet, of all tenants."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Interval,
    Table,
    TableValuedAlias,
    Uuid,
    and_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from modulo.adapters.postgres.announcements import WATCHED, note
from modulo.adapters.postgres.charges import WAS_CHARGED, uncharge
from modulo.adapters.postgres.claims import LIVING
from modulo.adapters.postgres.dead_letters import delete_old_letters
from modulo.adapters.postgres.expiry import end_expired, next_expiries
from modulo.adapters.postgres.index_switch import advance_reembeddings, next_reembedding_due
from modulo.adapters.postgres.locks import note_change
from modulo.adapters.postgres.pools import Pooled, autocommit, transaction
from modulo.adapters.postgres.rows import IS_FETCHING, arrays, stored
from modulo.adapters.postgres.rules import stored_problem
from modulo.adapters.postgres.tables import collections, files, generations, part_uploads, parts, tenants, user_files
from modulo.domain.files.file import UNFINISHED, WAITING, FileRef, Stage
from modulo.domain.files.generation import (
    DEADLINE_EXCEEDED,
    NEVER_UPLOADED,
    REPEAT_AFTER,
    UNCLAIMED_AFTER,
    changes_on_failure,
    changes_on_requeue,
)
from modulo.domain.files.user_file import UserFileRef
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.operations.sweep import SweepFindings

_LOCK = 0x7377656570  # any number no other program uses
_UNFINISHED = generations.c.stage.in_([stage.value for stage in UNFINISHED])
_UNCLAIMED = and_(generations.c.stage.in_([stage.value for stage in WAITING]), generations.c.lease_until.is_(None))
_NEVER_CLAIMED = and_(_UNCLAIMED, generations.c.attempt == 0)
_WAITS_SINCE = func.greatest(generations.c.updated_at, generations.c.next_attempt_at)
"""A URL's message is delivered when the URL is tried again; until then it is not lost."""

_PURGED = (tenants, collections, files, generations, user_files, part_uploads)
"""The tables of what is purged."""
_REF = (
    files.c.tenant_id,
    files.c.collection_id,
    generations.c.file_id,
    generations.c.number,
    generations.c.source,
)
"""The columns of a `FileRef`."""


class PostgresSweeping(Pooled):
    """What a sweep ends and finds, of all tenants."""

    @transaction
    def sweep(
        self, connection: Connection, *, now: datetime, limit: int, unclaimed_since: datetime | None = None
    ) -> SweepFindings:
        """One sweep at a time; a second one waits for the first and finds what that left."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        advance_reembeddings(connection, now=now, limit=limit)
        found = _Found(limit)
        failed = _end_overdue(connection, now, found)
        stalled = _requeue_stalled(connection, now, found, unclaimed_since)
        end_expired(connection, now=now, limit=limit)
        return SweepFindings(
            failed=failed,
            requeue=tuple(stalled),
            refetch=frozenset(ref for ref, is_fetched in stalled.items() if is_fetched),
            purge=_ask_for_purges(connection, now, found),
            since=found.since,
            more=found.more,
            forgotten=delete_old_letters(connection, now=now, limit=limit),
            due=_next(connection, unclaimed=unclaimed_since is not None),  # last: of what the others left
        )

    @autocommit
    def overdue_unclaimed(
        self, connection: Connection, *, now: datetime, created_since: datetime, limit: int
    ) -> list[FileRef]:
        """Generations whose deadline has passed before their turn came."""
        statement = (
            select(*_REF)
            .where(LIVING, _NEVER_CLAIMED, generations.c.deadline <= now, generations.c.created_at > created_since)
            .order_by(generations.c.deadline)
            .limit(limit)
        )
        return [FileRef(*row) for row in connection.execute(statement)]

    @transaction
    def postpone_deadlines(
        self, connection: Connection, refs: Sequence[FileRef], *, deadline: datetime, now: datetime, queued: bool
    ) -> None:
        """Give these generations another deadline, and show them as `queued`."""
        given = _keys(refs)
        late = (
            select(*_REF, WATCHED)
            .where(LIVING, _NEVER_CLAIMED, _is_in(given))
            .with_for_update(of=generations, skip_locked=True)
            .cte("late")
        )
        postponed = (
            update(generations)
            .values(deadline=deadline, updated_at=now, **({"stage": Stage.queued.value} if queued else {}))
            .where(_is_in(late))
            .returning(late.c.tenant_id, late.c.collection_id, late.c.watched)
        )
        for row in connection.execute(postponed):
            note(connection, row.tenant_id, row.collection_id, row.watched)


def _next(connection: Connection, *, unclaimed: bool) -> datetime | None:
    """When something is next due: mostly the first entry of the index that finds it."""
    purges = [select(func.min(table.c.purge_after)) for table in _PURGED]
    moments = [select(func.min(generations.c[name])).where(_UNFINISHED) for name in ("deadline", "lease_until")]
    if unclaimed:
        waiting_since = select(func.min(_WAITS_SINCE) + literal(UNCLAIMED_AFTER, Interval()))
        moments.append(waiting_since.where(_UNFINISHED, _UNCLAIMED))
    firsts = [one.scalar_subquery() for one in (*moments, *purges, *next_expiries())]
    found: datetime | None = connection.execute(select(func.least(*firsts, next_reembedding_due()))).scalar_one()
    return found


@dataclass(slots=True)
class _Found:
    """What the kinds of findings say together."""

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
    locked = _lock_collections(connection, list(late))
    given = _keys(locked)
    why = case(
        (IS_FETCHING, func.coalesce(generations.c.problem, literal(stored_problem(DEADLINE_EXCEEDED), JSONB))),
        (generations.c.stage == Stage.awaiting_upload.value, literal(stored_problem(NEVER_UPLOADED), JSONB)),
        else_=literal(stored_problem(DEADLINE_EXCEEDED), JSONB),
    )
    ended = (
        update(generations)
        .values(stored(changes_on_failure(DEADLINE_EXCEEDED, now)) | {"problem": why})
        .where(overdue, _is_in(given))
        .returning(generations.c.tenant_id, generations.c.file_id, generations.c.number, WAS_CHARGED)
    )
    sizes = {tuple(row[:3]): row.was_charged for row in connection.execute(ended)} if locked else {}
    if sizes:
        connection.execute(
            delete(parts).where(
                parts.c.tenant_id == given.c.tenant_id,
                parts.c.file_id == given.c.file_id,
                parts.c.generation == given.c.number,
            )
        )
    gone = tuple(ref for ref in locked if _key(ref) in sizes)
    found.add("failed", [late[ref] for ref in gone], selected=len(late))
    released: defaultdict[tuple[UUID, UUID], int] = defaultdict(int)
    for ref in gone:
        released[ref.tenant_id, ref.collection_id] += sizes[_key(ref)]
    uncharge(connection, released)
    return gone


def _keys(refs: Sequence[FileRef]) -> TableValuedAlias:
    return arrays(
        tenant_id=(Uuid(), [ref.tenant_id for ref in refs]),
        file_id=(Uuid(), [ref.file_id for ref in refs]),
        number=(Integer(), [ref.generation for ref in refs]),
    )


def _is_in(rows: FromClause) -> ColumnElement[bool]:
    """Whether a generation is one of the rows."""
    return and_(
        generations.c.tenant_id == rows.c.tenant_id,
        generations.c.file_id == rows.c.file_id,
        generations.c.number == rows.c.number,
    )


def _key(ref: FileRef) -> tuple[UUID, UUID, int]:
    return ref.tenant_id, ref.file_id, ref.generation


def _lock_collections(connection: Connection, found: Sequence[FileRef]) -> list[FileRef]:
    """Lock the collections of these generations; without those that another transaction has locked."""
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
        note_change(connection, row)
    places_locked = {(row["tenant_id"], row["id"]) for row in rows}
    return [ref for ref in found if (ref.tenant_id, ref.collection_id) in places_locked]


def _requeue_stalled(
    connection: Connection, now: datetime, found: _Found, unclaimed_since: datetime | None
) -> dict[FileRef, bool]:
    """Take stalled generations from their workers; the next sweep names again those that nobody claimed.

    Whether each is still to be fetched from its URL.
    """
    due = generations.c.lease_until <= now
    if unclaimed_since is not None:
        due = or_(due, and_(_UNCLAIMED, unclaimed_since >= _WAITS_SINCE))
    waits = generations.c.stage == Stage.awaiting_upload.value
    since = func.coalesce(generations.c.lease_until, generations.c.updated_at)
    stalled = (
        select(*_REF, since.label("since"), WATCHED, IS_FETCHING.label("fetched"))
        .where(LIVING, _UNFINISHED, due, generations.c.deadline > now)
        .order_by(since)
        .limit(found.limit)
        .with_for_update(of=generations, skip_locked=True)
        .cte("stalled")
    )
    statement = (
        update(generations)
        .values(
            stored(changes_on_requeue(now)) | {"stage": case((waits, generations.c.stage), else_=Stage.queued.value)}
        )
        .where(_is_in(stalled))
        .returning(*stalled.c)
    )
    rows = connection.execute(statement).all()
    for row in rows:
        note(connection, row.tenant_id, row.collection_id, row.watched)
    found.add("requeue", [row.since for row in rows], selected=len(rows))
    return {FileRef(*row[:5]): row.fetched for row in rows}


def _ask_for_purges(connection: Connection, now: datetime, found: _Found) -> tuple[PurgeRequest, ...]:
    """Whatever should have been purged by now; it is named again later where it still is not."""
    requests = [PurgeRequest(row.id) for row in _postponed(connection, tenants, now, found)]
    requests += [PurgeRequest(row.tenant_id, row.id) for row in _postponed(connection, collections, now, found, "id")]
    requests += [
        PurgeRequest(row.tenant_id, row.collection_id, row.id)
        for row in _postponed(connection, files, now, found, "id", "collection_id")
    ]
    retired = {"retired_at": func.coalesce(generations.c.retired_at, now)}
    requests += [
        PurgeRequest(row.tenant_id, user_file=UserFileRef(row.tenant_id, row.user_id, row.id))
        for row in _postponed(connection, user_files, now, found, "id", "user_id")
    ]
    requests += [
        PurgeRequest(row.tenant_id, parts_of=UserFileRef(row.tenant_id, row.user_id, row.id))
        for row in _postponed(connection, part_uploads, now, found, "id", "user_id")
    ]
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
        .values(purge_after=now + REPEAT_AFTER, **values)
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

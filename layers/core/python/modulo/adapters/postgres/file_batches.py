"""Batches of files that are attached to a collection together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    Select,
    Text,
    Uuid,
    and_,
    cast,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from modulo.adapters.postgres.file_attributes import loaded_attributes
from modulo.adapters.postgres.locks import locked
from modulo.adapters.postgres.pools import Pooled, transaction
from modulo.adapters.postgres.rows import MEMBERSHIP, NEWEST, SHOWN_STAGE, among, arrays, in_tenant, visible
from modulo.adapters.postgres.rules import stored_problem
from modulo.adapters.postgres.tables import (
    collections,
    file_batch_entries,
    file_batches,
    files,
    generations,
    members,
)
from modulo.adapters.postgres.tombstones import tombstone
from modulo.domain.errors import NotFound
from modulo.domain.files.file import WAITING, FileProblem, Stage
from modulo.domain.files.file_batch import BatchEntry, EntryState, FileBatch, copy_id
from modulo.domain.files.generation import DEADLINE_EXCEEDED
from modulo.domain.tenancy.identity import Role

if TYPE_CHECKING:
    from modulo.domain.files.file_batch import BatchDraft
    from modulo.domain.tenancy.identity import Principal

_OF_BATCH = and_(
    file_batch_entries.c.tenant_id == file_batches.c.tenant_id, file_batch_entries.c.batch_id == file_batches.c.id
)
_COPY = and_(
    files.c.tenant_id == file_batches.c.tenant_id,
    files.c.collection_id == file_batches.c.collection_id,
    files.c.origin_id == file_batch_entries.c.file_id,
    files.c.deleted_at.is_(None),
)
_BATCH = (file_batches.c.id, file_batches.c.collection_id, file_batches.c.created_at)
_ENTRY = (
    file_batches.c.attached_at,
    file_batches.c.deadline,
    file_batch_entries.c.file_id,
    file_batch_entries.c.cancelled,
    file_batch_entries.c.problem,
    files.c.id.label("copy_id"),
    files.c.live_generation,
    files.c.attributes,
    files.c.created_at.label("copied_at"),
    SHOWN_STAGE,
    generations.c.size_bytes,
    generations.c.problem.label("copy_problem"),
)


class PostgresFileBatches(Pooled):
    """Batches of files that are attached to a collection together."""

    @transaction
    def open_batch(
        self, connection: Connection, principal: Principal, collection_id: UUID, draft: BatchDraft, *, now: datetime
    ) -> None:
        """Store the batch with its entries."""
        locked(connection, principal, collection_id, Role.editor)
        batch = {"id": draft.id, "collection_id": collection_id, "created_at": now, "deadline": draft.deadline}
        connection.execute(insert(file_batches).values(tenant_id=principal.tenant_id, **batch))
        numbers = range(len(draft.file_ids))
        given = arrays(number=(Integer(), numbers), file_id=(Uuid(), draft.file_ids))
        keys = (literal(key, Uuid()) for key in (principal.tenant_id, draft.id))
        rows = select(*keys, given.c.number, given.c.file_id)
        columns = ("tenant_id", "batch_id", "number", "file_id")
        connection.execute(insert(file_batch_entries).from_select(columns, rows))

    @transaction
    def close_batch(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        batch_id: UUID,
        problems: Mapping[UUID, FileProblem],
        *,
        now: datetime,
    ) -> None:
        """Store the problems."""
        locked(connection, principal, collection_id, Role.editor)
        at = (in_tenant(principal.tenant_id, file_batches), file_batches.c.id == batch_id)
        mine = file_batches.c.collection_id == collection_id
        if connection.execute(update(file_batches).values(attached_at=now).where(*at, mine)).rowcount == 0:
            raise NotFound
        if not problems:
            return
        told = [json.dumps(stored_problem(problem)) for problem in problems.values()]
        given = arrays(file_id=(Uuid(), problems), problem=(Text(), told))
        connection.execute(
            update(file_batch_entries)
            .values(problem=cast(given.c.problem, JSONB))
            .where(in_tenant(principal.tenant_id, file_batch_entries), file_batch_entries.c.batch_id == batch_id)
            .where(file_batch_entries.c.file_id == given.c.file_id)
        )

    def get_batch(
        self, principal: Principal, collection_id: UUID, batch_id: UUID, *, now: datetime, fresh: bool = False
    ) -> FileBatch:
        """One of the collection's, from the writer if it has to be fresh."""
        statement = (
            _entries()
            .join(collections, collections.c.id == file_batches.c.collection_id)
            .join(members, MEMBERSHIP)
            .where(visible(principal, collection_id), *_at(principal, collection_id, batch_id))
            .order_by(file_batch_entries.c.number)
        )
        ask = self.pools.autocommit if fresh else self.pools.read
        return ask(lambda connection: _batch(connection.execute(statement).mappings().all(), now))

    @transaction
    def cancel_batch(
        self, connection: Connection, principal: Principal, collection_id: UUID, batch_id: UUID, *, now: datetime
    ) -> list[UUID]:
        """Tombstone the batch's own copies that wait to be read, and mark what was not attached yet."""
        collection = locked(connection, principal, collection_id, Role.editor)
        every = _entries(files.c.name).where(*_at(principal, collection_id, batch_id))
        rows = connection.execute(every).mappings().all()
        if not rows:
            raise NotFound
        undecided = [row for row in rows if not row["cancelled"] and row["problem"] is None]
        waiting = [row for row in undecided if _is_own(row) and _waits(row)]
        missing = [row for row in undecided if row["copy_id"] is None and row["attached_at"] is None]
        which = among(file_batch_entries.c.file_id, [row["file_id"] for row in (*waiting, *missing)])
        connection.execute(
            update(file_batch_entries)
            .values(cancelled=True)
            .where(in_tenant(principal.tenant_id, file_batch_entries), which)
            .where(file_batch_entries.c.batch_id == batch_id)
        )
        if waiting:
            ids = [row["copy_id"] for row in waiting]
            named = select(files.c.id, files.c.name).where(
                in_tenant(principal.tenant_id, files), among(files.c.id, ids)
            )
            copies = connection.execute(named).mappings().all()
            tombstone(connection, principal, collection, copies, now=now)
        return [row["copy_id"] for row in waiting]


def _at(principal: Principal, collection_id: UUID, batch_id: UUID) -> tuple[ColumnElement[bool], ...]:
    mine = (file_batches.c.collection_id == collection_id, file_batches.c.id == batch_id)
    return in_tenant(principal.tenant_id, file_batches, file_batch_entries), *mine


def _entries(*more: Column[Any]) -> Select[Any]:
    """The entries of batches, each with the living copy of its file, if there is one."""
    return (
        select(*_BATCH, *_ENTRY, *more)
        .select_from(file_batches)
        .join(file_batch_entries, _OF_BATCH)
        .outerjoin(files, _COPY)
        .outerjoin(generations, NEWEST)
    )


def _is_own(row: RowMapping) -> bool:
    """Whether the batch made the copy: one that was there before is somebody else's to take out."""
    return bool(row["copy_id"] == copy_id(row["id"], row["file_id"]))


def _waits(row: RowMapping) -> bool:
    """Whether nobody has begun to read the copy, nor read it before."""
    return row["live_generation"] is None and row["stage"] in WAITING


def _batch(rows: Sequence[RowMapping], now: datetime) -> FileBatch:
    if not rows:
        raise NotFound
    entries = tuple(entry for row in rows if (entry := _entry(row, now)) is not None)
    return FileBatch(rows[0]["id"], rows[0]["collection_id"], rows[0]["created_at"], entries)


def _entry(row: RowMapping, now: datetime) -> BatchEntry | None:
    """None for a file that was taken out of the collection again."""
    file_id, made = row["file_id"], row["created_at"]
    if row["cancelled"]:
        return BatchEntry(file_id, EntryState.cancelled, made)
    if row["problem"] is not None:
        return BatchEntry(file_id, EntryState.failed, made, problem=FileProblem.model_validate(row["problem"]))
    if row["copy_id"] is not None:
        state = EntryState.of(Stage(row["stage"]))
        problem = FileProblem.model_validate(row["copy_problem"]) if state is EntryState.failed else None
        attributes = loaded_attributes(row["attributes"])
        return BatchEntry(file_id, state, row["copied_at"], row["size_bytes"], attributes, problem)
    if row["attached_at"] is not None:
        return None
    if now < row["deadline"]:
        return BatchEntry(file_id, EntryState.in_progress, made)
    return BatchEntry(file_id, EntryState.failed, made, problem=DEADLINE_EXCEEDED)

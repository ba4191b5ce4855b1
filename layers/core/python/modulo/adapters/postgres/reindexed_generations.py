"""Generations that embed the bytes of another one anew, for another index."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, case, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.rows import in_tenant, stored
from modulo.adapters.postgres.tables import files, generations
from modulo.domain.files.file import UNFINISHED, FileRef, Stage
from modulo.domain.files.generation import PURGE_AFTER, changes_on_end, changes_on_reindex

_relative = generations.alias("relative")
_OF_SAME_OBJECT = (
    (_relative.c.tenant_id == generations.c.tenant_id)
    & (_relative.c.file_id == generations.c.file_id)
    & (_relative.c.source == generations.c.source)
)
IS_PAID_FOR = exists().where(_OF_SAME_OBJECT, _relative.c.charged)
"""Whether the generation's object is charged already, for another generation that is made from it."""
_NUMBERS = (
    select(func.max(_relative.c.number))
    .where(_relative.c.tenant_id == generations.c.tenant_id, _relative.c.file_id == generations.c.file_id)
    .scalar_subquery()
)


def add_missing(connection: Connection, collection: RowMapping, ref: FileRef, index: int, now: datetime) -> None:
    """Have a generation that was just made in one index made in the other ones too that its collection needs.

    One of an index that was dropped meanwhile is retired; the file then waits for the current one's.
    """
    is_this = in_tenant(ref.tenant_id, generations) & (generations.c.file_id == ref.file_id)
    is_this &= generations.c.number == ref.generation
    if collection["other_index"] not in (None, index):
        add_reindexed(connection, is_this, collection["other_index"], now, collection_id=ref.collection_id)
    if index == collection["index_number"]:
        return
    add_reindexed(connection, is_this, collection["index_number"], now, collection_id=ref.collection_id)
    if index != collection["other_index"]:
        connection.execute(update(generations).values(retired(now)).where(is_this))
    newest = select(_NUMBERS).where(is_this).scalar_subquery()
    connection.execute(
        update(files)
        .values(generation=newest)
        .where(in_tenant(ref.tenant_id, files), files.c.id == ref.file_id, files.c.generation == ref.generation)
    )


def retired(now: datetime) -> dict[str, Any]:
    """What a generation is that is not needed any more; who works on it loses the claim."""
    unfinished = generations.c.stage.in_([stage.value for stage in UNFINISHED])
    stage = case((unfinished, Stage.deleted.value), else_=generations.c.stage)
    return stored(changes_on_end(Stage.deleted, now)) | {
        "stage": stage,
        "retired_at": now,
        "purge_after": now + PURGE_AFTER,
    }


def add_reindexed(
    connection: Connection, which: ColumnElement[bool], index: int, now: datetime, *, collection_id: UUID
) -> tuple[FileRef, ...]:
    """Queue these generations, one of a file at most, for another index as far as they are not in it."""
    there = exists().where(_OF_SAME_OBJECT, _relative.c.index_number == index, _relative.c.retired_at.is_(None))
    new = {
        name: literal(value, generations.c[name].type) for name, value in stored(changes_on_reindex(index, now)).items()
    }
    kept = (
        "tenant_id",
        "file_id",
        "source",
        "media_type",
        "size_bytes",
        "checksum_sha256",
        "storage_limit",
        "object_version",
        "source_url",
        "etag",
        "last_modified",
        "checked_at",
    )
    values: dict[str, ColumnElement[Any]] = {name: generations.c[name] for name in kept}
    values |= new
    values |= {"number": _NUMBERS + 1, "draft_id": func.gen_random_uuid()}
    found = select(*values.values()).where(which, ~there)
    made = insert(generations).from_select(list(values), found)
    rows = connection.execute(
        made.returning(
            generations.c.tenant_id,
            literal(collection_id),
            generations.c.file_id,
            generations.c.number,
            generations.c.source,
        )
    )
    return tuple(FileRef(*row) for row in rows)

"""Files in Postgres, as their users see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)

from modulo.adapters.postgres_deletions import open_receipts
from modulo.adapters.postgres_rows import (
    FILE,
    MEMBERSHIP,
    NEWEST,
    OF_COLLECTION,
    changing,
    file,
    in_tenant,
    locked,
    visible,
)
from modulo.adapters.postgres_tables import aliases, collections, files, generations, members
from modulo.domain.errors import NotFound
from modulo.domain.file import File, FileRef, Stage
from modulo.domain.generation import PURGE_AFTER
from modulo.domain.identity import Principal, Role
from modulo.domain.transfer import Cursor
from modulo.domain.value import Listing


def list_files(
    connection: Connection,
    principal: Principal,
    collection_id: UUID,
    *,
    after: Cursor | None,
    limit: int,
    stage: Stage | None,
) -> Listing[File]:
    """One page, newest first."""
    page = (
        select(*FILE)
        .join(generations, NEWEST)
        .where(OF_COLLECTION, files.c.deleted_at.is_(None))
        .order_by(files.c.created_at.desc(), files.c.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        page = page.where(tuple_(files.c.created_at, files.c.id) < (after.moment, after.id))
    if stage is not None:
        page = page.where(generations.c.stage == stage.value)
    items = _seen(connection, principal, collection_id, page, by="created_at", descending=True)
    last = items[limit - 1] if len(items) > limit else None
    following = Cursor(last.created_at, last.id).encode() if last else None
    return Listing[File](items=tuple(items[:limit]), next=following)


def changes(
    connection: Connection, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int
) -> list[File]:
    """What changed behind the cursor, or last."""
    order = (generations.c.updated_at, generations.c.file_id)
    page = select(*FILE).join(generations, NEWEST).where(OF_COLLECTION).limit(limit)
    if after is None:
        page = page.where(files.c.deleted_at.is_(None)).order_by(*(part.desc() for part in order))
    else:
        page = page.where(
            in_tenant(principal.tenant_id, generations), tuple_(*order) > (after.moment, after.id)
        ).order_by(*order)
    return _seen(connection, principal, collection_id, page, by="updated_at")


def _seen(
    connection: Connection,
    principal: Principal,
    collection_id: UUID,
    page: Select[Any],
    *,
    by: str,
    descending: bool = False,
) -> list[File]:
    """The page's files; a visible collection without any still gives a row, one of nulls.

    Raises:
        NotFound: no such collection is visible to the caller.
    """
    found = page.correlate(collections).lateral("page")
    order = (found.c[by], found.c.id)
    statement = (
        select(*found.c)
        .select_from(collections)
        .join(members, MEMBERSHIP)
        .outerjoin(found, true())
        .where(visible(principal, collection_id))
        .order_by(*(part.desc() for part in order) if descending else order)
    )
    rows = connection.execute(statement).mappings().all()
    if not rows:
        raise NotFound
    return [file(row) for row in rows if row["id"] is not None]


def get_file(connection: Connection, principal: Principal, collection_id: UUID, file_id: UUID) -> File:
    """One of them."""
    statement = (
        select(*FILE)
        .join(generations, NEWEST)
        .join(collections, OF_COLLECTION)
        .join(members, MEMBERSHIP)
        .where(visible(principal, collection_id), files.c.id == file_id, files.c.deleted_at.is_(None))
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound
    return file(row)


def tombstone_file(
    connection: Connection, principal: Principal, collection_id: UUID, file_id: UUID, *, now: datetime
) -> FileRef:
    """Make it invisible and fence off whoever ingests it; once."""
    collection = locked(connection, principal, collection_id, Role.editor)
    itself = files.alias("archive")
    name = select(itself.c.name).where(itself.c.tenant_id == principal.tenant_id, itself.c.id == file_id)
    held = and_(files.c.deleted_at.is_(None), is_of_archive(name.scalar_subquery()))
    found = select(files.c.id, files.c.name, files.c.generation, files.c.deleted_at).where(
        in_tenant(principal.tenant_id, files),
        files.c.collection_id == collection_id,
        or_(files.c.id == file_id, held),
    )
    rows = connection.execute(found).mappings().all()
    row = next((row for row in rows if row["id"] == file_id), None)
    if row is None:
        raise NotFound
    if row["deleted_at"] is None:
        tombstone(connection, principal, collection, rows, now=now)
    return FileRef(principal.tenant_id, collection_id, file_id, row["generation"])


def is_of_archive(name: ColumnElement[str] | ScalarSelect[str]) -> ColumnElement[bool]:
    """Whether a file is one that the archive of that name was expanded into."""
    return func.starts_with(files.c.name, name.concat("/"))


def tombstone(
    connection: Connection, principal: Principal, collection: RowMapping, rows: Sequence[RowMapping], *, now: datetime
) -> None:
    """Make living files of a locked collection invisible, each with a receipt of its own."""
    changing(connection, collection)
    for row in rows:
        open_receipts(connection, principal.tenant_id, [collection], principal.user_id, file=row, now=now)
    ids = bindparam(None, [row["id"] for row in rows], type_=ARRAY(Uuid))
    gone = update(files).where(in_tenant(principal.tenant_id, files), files.c.id == any_(ids))
    connection.execute(gone.values(deleted_at=now, purge_after=now + PURGE_AFTER))
    connection.execute(delete(aliases).where(in_tenant(principal.tenant_id, aliases), aliases.c.file_id == any_(ids)))
    ended = {"stage": Stage.deleting.value, "claim_token": None, "lease_until": None, "purge_after": None}
    connection.execute(
        update(generations)
        .values(**ended, updated_at=now)
        .where(in_tenant(principal.tenant_id, generations), generations.c.file_id == any_(ids))
    )
    fewer = {"file_count": collections.c.file_count - len(rows), "version": collections.c.version + 1}
    connection.execute(
        update(collections)
        .values(**fewer, updated_at=now)
        .where(in_tenant(principal.tenant_id, collections), collections.c.id == collection["id"])
    )

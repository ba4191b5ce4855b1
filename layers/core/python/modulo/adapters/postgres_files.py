"""Files in Postgres, as their users see them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, select, true, tuple_, update

from modulo.adapters.postgres_deletions import open_receipt
from modulo.adapters.postgres_rows import (
    FILE,
    MEMBERSHIP,
    NEWEST,
    OF_COLLECTION,
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
    """One page, newest first; a collection without files still gives a row, one of nulls."""
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
    found = page.correlate(collections).lateral("page")
    statement = (
        select(*found.c)
        .select_from(collections)
        .join(members, MEMBERSHIP)
        .outerjoin(found, true())
        .where(visible(principal, collection_id))
        .order_by(found.c.created_at.desc(), found.c.id.desc())
    )
    rows = connection.execute(statement).mappings().all()
    if not rows:
        raise NotFound
    items = tuple(file(row) for row in rows if row["id"] is not None)
    last = items[limit - 1] if len(items) > limit else None
    following = Cursor(last.created_at, last.id).encode() if last else None
    return Listing[File](items=items[:limit], next=following)


def changes(
    connection: Connection, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int
) -> list[File]:
    """What changed behind the cursor, or last; a collection without such files still gives a row, one of nulls."""
    order = (generations.c.updated_at, generations.c.file_id)
    page = select(*FILE).join(generations, NEWEST).where(OF_COLLECTION).limit(limit)
    if after is None:
        page = page.where(files.c.deleted_at.is_(None)).order_by(*(part.desc() for part in order))
    else:
        page = page.where(
            in_tenant(principal.tenant_id, generations), tuple_(*order) > (after.moment, after.id)
        ).order_by(*order)
    found = page.correlate(collections).lateral("page")
    statement = (
        select(*found.c)
        .select_from(collections)
        .join(members, MEMBERSHIP)
        .outerjoin(found, true())
        .where(visible(principal, collection_id))
        .order_by(found.c.updated_at, found.c.id)
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
    at = (in_tenant(principal.tenant_id, files), files.c.id == file_id, files.c.collection_id == collection_id)
    found = select(files.c.id, files.c.name, files.c.generation, files.c.deleted_at).where(*at)
    row = connection.execute(found).mappings().one_or_none()
    if row is None:
        raise NotFound
    ref = FileRef(principal.tenant_id, collection_id, file_id, row["generation"])
    if row["deleted_at"] is not None:
        return ref
    open_receipt(connection, principal, collection, row, now=now)
    connection.execute(update(files).values(deleted_at=now, purge_after=now + PURGE_AFTER).where(*at))
    connection.execute(delete(aliases).where(in_tenant(principal.tenant_id, aliases), aliases.c.file_id == file_id))
    ended = {"stage": Stage.deleting.value, "claim_token": None, "lease_until": None, "purge_after": None}
    connection.execute(
        update(generations)
        .values(**ended, updated_at=now)
        .where(in_tenant(ref.tenant_id, generations), generations.c.file_id == file_id)
    )
    connection.execute(
        update(collections)
        .values(file_count=collections.c.file_count - 1, version=collections.c.version + 1, updated_at=now)
        .where(in_tenant(ref.tenant_id, collections), collections.c.id == collection_id)
    )
    return ref

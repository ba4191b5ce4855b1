"""Files, as their users see them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Select,
    and_,
    func,
    or_,
    select,
    true,
    tuple_,
)

from modulo.adapters.postgres.aliases import delete_alias, raise_version
from modulo.adapters.postgres.file_attributes import set_attributes
from modulo.adapters.postgres.file_rows import FILE, file, find_file, find_row
from modulo.adapters.postgres.locks import locked
from modulo.adapters.postgres.pools import Pooled, read, transaction
from modulo.adapters.postgres.rows import EDITORS, MEMBERSHIP, NEWEST, OF_COLLECTION, in_stage, in_tenant, visible
from modulo.adapters.postgres.tables import collections, files, generations, members
from modulo.adapters.postgres.tombstones import is_of_archive, tombstone
from modulo.adapters.postgres.windows import PLACE, page_of, windowed
from modulo.domain.errors import NotFound
from modulo.domain.files.file import File, FileChange, FileRef, Stage
from modulo.domain.files.stored_object import StoredFile
from modulo.domain.pagination import Cursor, Listing, Page, Window
from modulo.domain.tenancy.identity import Principal, Role

_served = generations.alias("served")
_SERVED_VERSION = (
    select(_served.c.object_version)
    .where(_served.c.tenant_id == files.c.tenant_id, _served.c.file_id == files.c.id)
    .where(_served.c.number == func.coalesce(files.c.live_generation, files.c.generation))
    .scalar_subquery()
    .label("served_version")
)


class PostgresFiles(Pooled):
    """Files, as their users see them."""

    @read
    def list_files(
        self,
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
            page = page.where(in_stage(stage))
        items = _page(connection, principal, collection_id, page, by="created_at", descending=True)
        last = items[limit - 1] if len(items) > limit else None
        following = Cursor(last.created_at, last.id).encode() if last else None
        return Listing[File](items=tuple(items[:limit]), next=following)

    @read
    def page_files(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        window: Window,
        *,
        stages: Collection[Stage] | None = None,
    ) -> Page[File]:
        """One window of the collection's files."""
        place = PLACE["files"].c
        within = (place.tenant_id == principal.tenant_id) & (place.collection_id == collection_id)
        page: Select[Any] = select(*FILE).join(generations, NEWEST).where(OF_COLLECTION, files.c.deleted_at.is_(None))
        if stages is not None:
            page = page.where(or_(*map(in_stage, stages)))
        page = windowed(page, files, window, within)
        descending = window.ascending == window.backwards
        found = _page(connection, principal, collection_id, page, by="created_at", descending=descending)
        return page_of(connection, found, files, window, within)

    @read
    def find_file(self, connection: Connection, principal: Principal, file_id: UUID) -> StoredFile:
        """It, or the first copy of it, with its pinned version."""
        statement = (
            select(*FILE, _SERVED_VERSION)
            .join(generations, NEWEST)
            .join(collections, OF_COLLECTION)
            .join(members, MEMBERSHIP)
            .where(in_tenant(principal.tenant_id, files, collections, members))
            .where(members.c.user_id == principal.user_id, collections.c.deleted_at.is_(None))
            .where(or_(files.c.id == file_id, files.c.origin_id == file_id), files.c.deleted_at.is_(None))
            .order_by(files.c.created_at, files.c.id)
            .limit(1)
        )
        row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            raise NotFound
        return StoredFile(file(row), row["served_version"])

    @read
    def list_copies(self, connection: Connection, principal: Principal, origin_id: UUID) -> list[File]:
        """The copies in collections where the caller may delete them."""
        statement = (
            select(*FILE)
            .join(generations, NEWEST)
            .join(collections, OF_COLLECTION)
            .join(members, MEMBERSHIP)
            .where(in_tenant(principal.tenant_id, files, collections, members))
            .where(members.c.user_id == principal.user_id, collections.c.deleted_at.is_(None))
            .where(members.c.role.in_(EDITORS))
            .where(files.c.origin_id == origin_id, files.c.deleted_at.is_(None))
        )
        return [file(row) for row in connection.execute(statement).mappings()]

    def changes(
        self, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, fresh: bool = False
    ) -> list[File]:
        """What changed behind the cursor, or last; from the writer if it has to be fresh."""
        order = (generations.c.updated_at, generations.c.file_id)
        page = select(*FILE).join(generations, NEWEST).where(OF_COLLECTION).limit(limit)
        if after is None:
            page = page.where(files.c.deleted_at.is_(None)).order_by(*(part.desc() for part in order))
        else:
            page = page.where(
                in_tenant(principal.tenant_id, generations), tuple_(*order) > (after.moment, after.id)
            ).order_by(*order)
        ask = self.pools.autocommit if fresh else self.pools.read
        return ask(lambda connection: _page(connection, principal, collection_id, page, by="updated_at"))

    def get_file(self, principal: Principal, collection_id: UUID, file_id: UUID, *, fresh: bool = False) -> File:
        """One of them, from the writer if it has to be fresh."""
        ask = self.pools.autocommit if fresh else self.pools.read
        return ask(lambda connection: find_file(connection, principal, collection_id, file_id))

    @read
    def get_stored_file(
        self, connection: Connection, principal: Principal, collection_id: UUID, file_id: UUID
    ) -> StoredFile:
        """One of them, with the version that was pinned for what is downloaded."""
        row = find_row(connection, principal, collection_id, file_id, _SERVED_VERSION)
        return StoredFile(file(row), row["served_version"])

    @transaction
    def change_file(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        file_id: UUID,
        change: FileChange,
        *,
        now: datetime,
    ) -> File:
        """Change one of them and raise the collection's version."""
        locked(connection, principal, collection_id, Role.editor)
        if change.attributes is not None:
            set_attributes(connection, principal.tenant_id, collection_id, file_id, change.attributes, now=now)
        return find_file(connection, principal, collection_id, file_id)

    @transaction
    def remove_alias(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        file_id: UUID,
        name: str,
        *,
        now: datetime,
    ) -> None:
        """Delete it, if it is this file's."""
        locked(connection, principal, collection_id, Role.editor)
        if not delete_alias(connection, principal.tenant_id, collection_id, name, file_id):
            raise NotFound
        raise_version(connection, principal.tenant_id, collection_id, now)

    @transaction
    def tombstone_file(
        self, connection: Connection, principal: Principal, collection_id: UUID, file_id: UUID, *, now: datetime
    ) -> FileRef:
        """Set the tombstone, which ends the claims of whoever ingests the file; once."""
        collection = locked(connection, principal, collection_id, Role.editor)
        itself = files.alias("archive")
        name = select(itself.c.name).where(itself.c.tenant_id == principal.tenant_id, itself.c.id == file_id)
        expanded = and_(files.c.deleted_at.is_(None), is_of_archive(name.scalar_subquery()))
        found = select(files.c.id, files.c.name, files.c.generation, files.c.deleted_at).where(
            in_tenant(principal.tenant_id, files),
            files.c.collection_id == collection_id,
            or_(files.c.id == file_id, expanded),
        )
        rows = connection.execute(found).mappings().all()
        row = next((row for row in rows if row["id"] == file_id), None)
        if row is None:
            raise NotFound
        if row["deleted_at"] is None:
            tombstone(connection, principal, collection, rows, now=now)
        return FileRef(principal.tenant_id, collection_id, file_id, row["generation"])


def _page(
    connection: Connection,
    principal: Principal,
    collection_id: UUID,
    page: Select[Any],
    *,
    by: str,
    descending: bool = False,
) -> list[File]:
    """The files of a page; a visible collection without any still gives a row, one of nulls.

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

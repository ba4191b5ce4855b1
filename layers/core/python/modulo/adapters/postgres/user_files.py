"""Files that users keep outside collections."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, func, select, true, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.charges import charge_owner
from modulo.adapters.postgres.identities import introduce
from modulo.adapters.postgres.pools import Pooled, read, transaction
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.tables import user_files, users
from modulo.adapters.postgres.windows import PLACE, page_of, windowed
from modulo.domain.errors import NotFound
from modulo.domain.files.generation import PURGE_AFTER
from modulo.domain.files.user_file import UserFile
from modulo.domain.tenancy.quota import quota_exceeded

if TYPE_CHECKING:
    from modulo.domain.files.user_file import Purpose, UserFileRef
    from modulo.domain.pagination import Page, Window
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas

_FILE = tuple(user_files.c[name] for name in UserFile.model_fields)


class PostgresUserFiles(Pooled):
    """Files that users keep outside collections."""

    @transaction
    def add_user_file(self, connection: Connection, principal: Principal, file: UserFile, *, quotas: Quotas) -> None:
        """Charge it to the user and store it."""
        insert_user_file(connection, principal, file, quotas)

    @read
    def page_user_files(
        self, connection: Connection, principal: Principal, window: Window, *, purpose: Purpose | None, now: datetime
    ) -> Page[UserFile]:
        """One window of the user's."""
        place = PLACE["user_files"].c
        within = (place.tenant_id == principal.tenant_id) & (place.user_id == principal.user_id)
        statement = select(*_FILE).where(*_of(principal), _living(now))
        if purpose is not None:
            statement = statement.where(user_files.c.purpose == purpose.value)
        rows = connection.execute(windowed(statement, user_files, window, within)).mappings()
        found = [UserFile.model_validate(dict(row)) for row in rows]
        return page_of(connection, found, user_files, window, within)

    @read
    def get_user_file(self, connection: Connection, principal: Principal, file_id: UUID, *, now: datetime) -> UserFile:
        """One of them."""
        statement = select(*_FILE).where(*_of(principal), _living(now), user_files.c.id == file_id)
        row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            raise NotFound(about=file_id)
        return UserFile.model_validate(dict(row))

    @transaction
    def tombstone_user_file(
        self, connection: Connection, principal: Principal, file_id: UUID, *, now: datetime
    ) -> None:
        """Make it invisible and give its storage back; once."""
        if not end_user_file(connection, principal, file_id, now=now, purge_after=now + PURGE_AFTER):
            raise NotFound

    @transaction
    def forget_user_file(self, connection: Connection, ref: UserFileRef) -> None:
        """Delete the row of one that was tombstoned."""
        statement = delete(user_files).where(
            in_tenant(ref.tenant_id, user_files), user_files.c.id == ref.file_id, user_files.c.deleted_at.is_not(None)
        )
        connection.execute(statement)


def insert_user_file(
    connection: Connection, principal: Principal, file: UserFile, quotas: Quotas, *, arriving: bool = False
) -> None:
    """Charge a file to the user and store it; one that is still arriving is not visible.

    Raises:
        QuotaExceeded: no file or byte more fits.
    """
    introduce(connection, principal)
    if not charge_owner(connection, principal.tenant_id, principal.user_id, file.size_bytes, quotas.storage_bytes):
        raise quota_exceeded("storage_bytes", quotas.storage_bytes)
    kept = select(func.count()).where(
        in_tenant(principal.tenant_id, user_files),
        user_files.c.user_id == principal.user_id,
        user_files.c.deleted_at.is_(None),
    )
    limit = quotas.user_files
    if connection.execute(kept).scalar_one() >= limit:  # the user's row is locked since it was charged
        raise quota_exceeded("user_files", limit)
    values = file.model_dump() | {"purpose": file.purpose.value, "arriving": arriving}
    connection.execute(insert(user_files).values(tenant_id=principal.tenant_id, user_id=principal.user_id, **values))


def end_user_file(
    connection: Connection, principal: Principal, file_id: UUID, *, now: datetime, purge_after: datetime
) -> bool:
    """Tombstone one, and give its storage back; whether there was one."""
    statement = (
        update(user_files)
        .values(deleted_at=now, purge_after=purge_after)
        .where(*_of(principal), user_files.c.id == file_id, user_files.c.deleted_at.is_(None))
        .returning(user_files.c.size_bytes)
    )
    size = connection.execute(statement).scalar_one_or_none()
    if size is None:
        return False
    connection.execute(
        update(users)
        .values(storage_bytes=users.c.storage_bytes - size)
        .where(in_tenant(principal.tenant_id, users), users.c.id == principal.user_id)
    )
    return True


def _of(principal: Principal) -> tuple[ColumnElement[bool], ...]:
    return in_tenant(principal.tenant_id, user_files), user_files.c.user_id == principal.user_id


def _living(now: datetime) -> ColumnElement[bool]:
    there = user_files.c.deleted_at.is_(None) & ~user_files.c.arriving
    return there & func.coalesce(user_files.c.expires_at > now, true())

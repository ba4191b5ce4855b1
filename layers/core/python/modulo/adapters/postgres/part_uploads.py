"""Uploads of user files in parts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, select, update

from modulo.adapters.postgres.pools import Pooled, autocommit, transaction
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.tables import part_uploads, upload_parts, user_files
from modulo.adapters.postgres.user_files import end_user_file, insert_user_file
from modulo.domain.errors import Conflict, NotFound
from modulo.domain.files.generation import PURGE_AFTER
from modulo.domain.files.part_upload import PartUpload
from modulo.domain.files.user_file import UserFile

if TYPE_CHECKING:
    from modulo.domain.files.user_file import UserFileRef
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas

_OF_UPLOAD = and_(user_files.c.tenant_id == part_uploads.c.tenant_id, user_files.c.id == part_uploads.c.id)
_UPLOAD: Final = (
    part_uploads.c.expires_at.label("upload_expires_at"),
    part_uploads.c.created_at.label("upload_created_at"),
    part_uploads.c.completing_until,
    part_uploads.c.completed_at,
    part_uploads.c.completed_with,
)


class PostgresPartUploads(Pooled):
    """Uploads of user files in parts. Reads are of the writer: one request follows the other at once."""

    @transaction
    def open_upload(
        self,
        connection: Connection,
        principal: Principal,
        file: UserFile,
        *,
        expires_at: datetime,
        file_seconds: int | None,
        quotas: Quotas,
    ) -> None:
        """Store the file as arriving, which expires with the upload."""
        arriving = file.model_copy(update={"expires_at": expires_at})
        insert_user_file(connection, principal, arriving, quotas, arriving=True)
        known = {"id": file.id, "created_at": file.created_at, "expires_at": expires_at, "file_seconds": file_seconds}
        owner = {"tenant_id": principal.tenant_id, "user_id": principal.user_id}
        connection.execute(insert(part_uploads).values(**owner, **known))

    @autocommit
    def get_upload(self, connection: Connection, principal: Principal, upload_id: UUID, *, now: datetime) -> PartUpload:
        """One of the user's, with its parts."""
        return _found(connection, principal, upload_id, now)[1]

    @transaction
    def add_part(
        self,
        connection: Connection,
        principal: Principal,
        upload_id: UUID,
        part_id: UUID,
        size_bytes: int,
        *,
        now: datetime,
    ) -> None:
        """Store it, if there is room."""
        _open(connection, principal, upload_id, now).require_room(size_bytes)
        at = {"tenant_id": principal.tenant_id, "upload_id": upload_id}
        connection.execute(insert(upload_parts).values(**at, id=part_id, size_bytes=size_bytes))

    @transaction
    def begin_completion(
        self, connection: Connection, principal: Principal, upload_id: UUID, *, until: datetime, now: datetime
    ) -> None:
        """Take the lease, and put the expiry off."""
        _open(connection, principal, upload_id, now)
        connection.execute(update(part_uploads).values(completing_until=until).where(*_of(principal, upload_id)))
        at = (in_tenant(principal.tenant_id, user_files), user_files.c.id == upload_id)
        later = func.greatest(user_files.c.expires_at, until)
        connection.execute(update(user_files).values(expires_at=later).where(*at))

    @transaction
    def release_completion(self, connection: Connection, principal: Principal, upload_id: UUID) -> None:
        """Give the lease back."""
        released = update(part_uploads).values(completing_until=None).where(*_of(principal, upload_id))
        if connection.execute(released).rowcount == 0:
            raise NotFound

    @transaction
    def end_completion(
        self,
        connection: Connection,
        principal: Principal,
        upload_id: UUID,
        *,
        completed_with: str,
        media_type: str,
        now: datetime,
    ) -> None:
        """Show the file, which is as old as this moment."""
        row, _ = _found(connection, principal, upload_id, now, lock=True)
        seconds = row["file_seconds"]
        shown = {"arriving": False, "created_at": now, "media_type": media_type}
        expires_at = None if seconds is None else now + timedelta(seconds=seconds)
        at = (in_tenant(principal.tenant_id, user_files), user_files.c.id == upload_id)
        connection.execute(update(user_files).values(**shown, expires_at=expires_at).where(*at))
        done = {"completed_at": now, "completed_with": completed_with, "completing_until": None}
        purged = {"purge_after": now + PURGE_AFTER}
        connection.execute(update(part_uploads).values(**done, **purged).where(*_of(principal, upload_id)))

    @transaction
    def cancel_upload(self, connection: Connection, principal: Principal, upload_id: UUID, *, now: datetime) -> None:
        """Tombstone it, which its purge deletes with all that arrived."""
        _open(connection, principal, upload_id, now)
        end_user_file(connection, principal, upload_id, now=now, purge_after=now + PURGE_AFTER)

    @transaction
    def forget_parts(self, connection: Connection, ref: UserFileRef) -> None:
        """Delete the rows of its parts, and have it purged no more."""
        completed = (part_uploads.c.id == ref.file_id, part_uploads.c.completed_at.is_not(None))
        done = update(part_uploads).values(purge_after=None).where(in_tenant(ref.tenant_id, part_uploads), *completed)
        if connection.execute(done).rowcount:
            of_upload = (in_tenant(ref.tenant_id, upload_parts), upload_parts.c.upload_id == ref.file_id)
            connection.execute(delete(upload_parts).where(*of_upload))


def _of(principal: Principal, upload_id: UUID) -> tuple[ColumnElement[bool], ...]:
    mine = (part_uploads.c.user_id == principal.user_id, part_uploads.c.id == upload_id)
    return in_tenant(principal.tenant_id, part_uploads), *mine


def _found(
    connection: Connection, principal: Principal, upload_id: UUID, now: datetime, *, lock: bool = False
) -> tuple[RowMapping, PartUpload]:
    """The upload, which is locked until the transaction ends where that is asked for.

    Raises:
        NotFound: the caller has no such upload, or it ended without a file.
    """
    statement = (
        select(user_files, *_UPLOAD, part_uploads.c.file_seconds)
        .join(part_uploads, _OF_UPLOAD)
        .where(*_of(principal, upload_id), user_files.c.deleted_at.is_(None))
        .where((user_files.c.expires_at > now) | user_files.c.expires_at.is_(None))
    )
    row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    if row is None:
        raise NotFound
    of_upload = (in_tenant(principal.tenant_id, upload_parts), upload_parts.c.upload_id == upload_id)
    parts = connection.execute(select(upload_parts.c.id, upload_parts.c.size_bytes).where(*of_upload))
    file = UserFile.model_validate({name: row[name] for name in UserFile.model_fields})
    found = PartUpload(
        id=file.id,
        name=file.name,
        purpose=file.purpose,
        size_bytes=file.size_bytes,
        created_at=row["upload_created_at"],
        expires_at=row["upload_expires_at"],
        parts={part.id: part.size_bytes for part in parts},
        file=None if row["completed_at"] is None else file,
        completed_with=row["completed_with"],
    )
    return row, found


def _open(connection: Connection, principal: Principal, upload_id: UUID, now: datetime) -> PartUpload:
    """The upload, locked, which may be changed.

    Raises:
        NotFound: the caller has no such upload, or it ended without a file.
        Conflict: it is complete, or is being completed.
    """
    row, found = _found(connection, principal, upload_id, now, lock=True)
    if row["completed_at"] is not None:
        raise Conflict("The upload is complete.")
    if row["completing_until"] is not None and row["completing_until"] > now:
        raise Conflict("The upload is being completed.")
    return found

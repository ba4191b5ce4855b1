"""The other names of files in Postgres."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres_files import get_file
from modulo.adapters.postgres_rows import in_tenant, locked
from modulo.adapters.postgres_tables import aliases, collections, generations
from modulo.domain.duplicates import taken_name
from modulo.domain.errors import NotFound
from modulo.domain.file import Duplicate, FileRef, Stage
from modulo.domain.identity import Principal, Role
from modulo.domain.transfer import FileDraft


def answered(
    connection: Connection, principal: Principal, found: Duplicate, draft: FileDraft, *, held: bool, now: datetime
) -> Duplicate:
    """The duplicate, once it has taken the draft's name where it is to; one that waits for its bytes waits longer."""
    ref = FileRef(principal.tenant_id, found.collection_id, found.id, found.generation)
    name = taken_name(draft, found, held=held)
    if found.stage is Stage.awaiting_upload:
        connection.execute(
            update(generations)
            .values(
                deadline=func.greatest(generations.c.deadline, draft.deadline),
                arrives_until=func.greatest(generations.c.arrives_until, draft.arrives_until),
            )
            .where(in_tenant(ref.tenant_id, generations), generations.c.file_id == ref.file_id)
            .where(generations.c.number == ref.generation, generations.c.stage == Stage.awaiting_upload.value)
        )
    if name is None:
        return found
    release(connection, ref.tenant_id, ref.collection_id, name, now=now)
    connection.execute(
        insert(aliases).values(
            tenant_id=ref.tenant_id, collection_id=ref.collection_id, name=name, file_id=ref.file_id, created_at=now
        )
    )
    view = get_file(connection, principal, ref.collection_id, ref.file_id)
    return Duplicate.model_validate(view, from_attributes=True)


def release(connection: Connection, tenant_id: UUID, collection_id: UUID, name: str, *, now: datetime) -> None:
    """Take an alias from whichever file of the collection has it."""
    _delete(connection, tenant_id, collection_id, name)
    _raise_version(connection, tenant_id, collection_id, now)


def remove_alias(
    connection: Connection, principal: Principal, collection_id: UUID, file_id: UUID, name: str, *, now: datetime
) -> None:
    """Take one of a file's aliases away."""
    locked(connection, principal, collection_id, Role.editor)
    if not _delete(connection, principal.tenant_id, collection_id, name, file_id):
        raise NotFound
    _raise_version(connection, principal.tenant_id, collection_id, now)


def _delete(
    connection: Connection, tenant_id: UUID, collection_id: UUID, name: str, file_id: UUID | None = None
) -> bool:
    statement = delete(aliases).where(
        in_tenant(tenant_id, aliases), aliases.c.collection_id == collection_id, aliases.c.name == name
    )
    if file_id is not None:
        statement = statement.where(aliases.c.file_id == file_id)
    return connection.execute(statement).rowcount == 1


def _raise_version(connection: Connection, tenant_id: UUID, collection_id: UUID, now: datetime) -> None:
    """A search by names may find something else from now on."""
    connection.execute(
        update(collections)
        .values(version=collections.c.version + 1, updated_at=now)
        .where(in_tenant(tenant_id, collections), collections.c.id == collection_id)
    )

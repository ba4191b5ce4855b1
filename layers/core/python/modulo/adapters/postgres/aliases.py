"""Aliases: the other names of files."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, delete, func, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.file_rows import find_file
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.tables import aliases, collections, generations
from modulo.domain.files.duplicates import alias_to_add
from modulo.domain.files.file import Duplicate, FileRef, Stage

if TYPE_CHECKING:
    from modulo.domain.files.upload import FileDraft
    from modulo.domain.tenancy.identity import Principal


def answer_duplicate(
    connection: Connection, principal: Principal, found: Duplicate, draft: FileDraft, *, is_alias: bool, now: datetime
) -> Duplicate:
    """The duplicate, once it has taken the draft's name where it is to; one that waits for its bytes waits longer."""
    ref = FileRef(principal.tenant_id, found.collection_id, found.id, found.generation)
    name = alias_to_add(draft, found, held=is_alias)
    if found.stage.awaits_bytes:
        connection.execute(
            update(generations)
            .values(
                uploaded_by=principal.user_id,
                deadline=func.greatest(generations.c.deadline, draft.deadline),
                arrives_until=func.greatest(generations.c.arrives_until, draft.arrives_until),
            )
            .where(in_tenant(ref.tenant_id, generations), generations.c.file_id == ref.file_id)
            .where(generations.c.number == ref.generation, generations.c.stage == Stage.awaiting_upload.value)
        )
    if name is None:
        return found
    release_alias(connection, ref.tenant_id, ref.collection_id, name, now=now)
    connection.execute(
        insert(aliases).values(
            tenant_id=ref.tenant_id, collection_id=ref.collection_id, name=name, file_id=ref.file_id, created_at=now
        )
    )
    view = find_file(connection, principal, ref.collection_id, ref.file_id)
    return Duplicate.model_validate(view, from_attributes=True)


def release_alias(connection: Connection, tenant_id: UUID, collection_id: UUID, name: str, *, now: datetime) -> None:
    """Take an alias from whichever file of the collection has it."""
    delete_alias(connection, tenant_id, collection_id, name)
    raise_version(connection, tenant_id, collection_id, now)


def delete_alias(
    connection: Connection, tenant_id: UUID, collection_id: UUID, name: str, file_id: UUID | None = None
) -> bool:
    """Delete the alias, whichever file has it or only if this one has it; whether it was there."""
    statement = delete(aliases).where(
        in_tenant(tenant_id, aliases), aliases.c.collection_id == collection_id, aliases.c.name == name
    )
    if file_id is not None:
        statement = statement.where(aliases.c.file_id == file_id)
    return connection.execute(statement).rowcount == 1


def raise_version(connection: Connection, tenant_id: UUID, collection_id: UUID, now: datetime) -> None:
    """Raise the collection's version: a search may find something else from now on."""
    connection.execute(
        update(collections)
        .values(version=collections.c.version + 1, updated_at=now)
        .where(in_tenant(tenant_id, collections), collections.c.id == collection_id)
    )

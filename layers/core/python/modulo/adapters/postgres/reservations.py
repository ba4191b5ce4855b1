"""Reserving quota and a generation for an upload."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, func, select, true, union_all, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.aliases import answer_duplicate, release_alias
from modulo.adapters.postgres.charges import charge_owner, uncharge
from modulo.adapters.postgres.file_attributes import set_attributes, stored_attributes
from modulo.adapters.postgres.file_rows import FILE, file, find_file
from modulo.adapters.postgres.locks import locked, note_change
from modulo.adapters.postgres.rows import NEWEST, in_tenant
from modulo.adapters.postgres.rules import id_taken, stored_problem, under_way
from modulo.adapters.postgres.tables import aliases, collections, files, generations
from modulo.domain.errors import NameTaken
from modulo.domain.files.duplicates import find_duplicate
from modulo.domain.files.file import File, FileRef, OnDuplicate, Stage
from modulo.domain.files.generation import PURGE_AFTER, SUPERSEDED
from modulo.domain.tenancy.identity import Principal, Role
from modulo.domain.tenancy.quota import Quotas, quota_exceeded

if TYPE_CHECKING:
    from sqlalchemy.sql.base import ReadOnlyColumnCollection

    from modulo.domain.files.upload import FileDraft


def reserve(
    connection: Connection,
    principal: Principal,
    collection_id: UUID,
    draft: FileDraft,
    *,
    quotas: Quotas,
    now: datetime,
) -> File:
    """Reserve quota and a generation: the first of a new file, or the next of the one of that name."""
    collection = locked(connection, principal, collection_id, Role.editor)
    rows = _known(connection, principal.tenant_id, collection_id, draft)
    copy = next((row for row in rows if draft.origin_id is not None and row["origin_id"] == draft.origin_id), None)
    if copy is not None:
        _renew_attributes(connection, principal.tenant_id, copy, draft, now)
        return file(copy) if draft.attributes is None else find_file(connection, principal, collection_id, copy["id"])
    drafted = next((row for row in rows if row["same_draft"]), None)
    if drafted is not None:
        place = (drafted["name"], drafted["collection_id"], drafted["deleted_at"])
        if place != (draft.name, collection_id, None) or not drafted["same_bytes"]:
            raise id_taken()
        return file(drafted)
    is_alias = any(row["has_alias"] for row in rows)
    known = next((row for row in rows if row["name"] == draft.name), None)
    _renew_attributes(connection, principal.tenant_id, known, draft, now)
    found = find_duplicate(draft, map(file, rows))
    if found is not None:
        return answer_duplicate(connection, principal, found, draft, is_alias=is_alias, now=now)
    if draft.origin_id is not None and (known is not None or is_alias):
        raise NameTaken
    if known is not None and Stage(known["stage"]).unfinished:
        _supersede(connection, principal.tenant_id, known, now)
    _charge(connection, collection, draft, quotas, is_new=known is None)
    note_change(connection, collection)
    if is_alias:
        release_alias(connection, principal.tenant_id, collection_id, draft.name, now=now)
    if known is None:
        ref = FileRef(principal.tenant_id, collection_id, draft.id, 1)
        _add_file(connection, ref, principal, draft, now)
    else:
        ref = FileRef(principal.tenant_id, collection_id, known["id"], known["numbers"] + 1)
        _point_to(connection, ref)
        if known["stage"] == Stage.failed:
            _retire_failed(connection, ref, known["generation"], now)
    _insert_generation(connection, principal, ref, draft, quotas=quotas, now=now)
    return find_file(connection, principal, collection_id, ref.file_id)


def _known(connection: Connection, tenant_id: UUID, collection_id: UUID, draft: FileDraft) -> Sequence[RowMapping]:
    """The file that the draft reserved before, and the collection's that have its name or its bytes."""
    living = select(files.c.id).where(
        in_tenant(tenant_id, files), files.c.collection_id == collection_id, files.c.deleted_at.is_(None)
    )
    of_draft = in_tenant(tenant_id, generations) & (generations.c.draft_id == draft.id)
    holds = and_(in_tenant(tenant_id, aliases), aliases.c.collection_id == collection_id, aliases.c.name == draft.name)
    wanted = [
        living.where(files.c.name == draft.name),
        select(generations.c.file_id).where(of_draft),
        select(aliases.c.file_id).where(holds),
    ]
    if draft.origin_id is not None:
        wanted.append(living.where(files.c.origin_id == draft.origin_id))
    if draft.on_duplicate is not OnDuplicate.new and draft.checksum_sha256 is not None:
        same = living.join(generations, NEWEST).where(generations.c.checksum_sha256 == draft.checksum_sha256)
        wanted.append(same.where(in_tenant(tenant_id, generations)))
    drafted = generations.alias("drafted")
    of_file = (drafted.c.tenant_id == files.c.tenant_id, drafted.c.file_id == files.c.id)
    same_draft = exists().where(*of_file, drafted.c.draft_id == draft.id)
    same_bytes = exists().where(*of_file, drafted.c.draft_id == draft.id, _is_of(drafted.c, draft))
    every = generations.alias("every")
    numbers = (
        select(func.max(every.c.number))
        .where(every.c.tenant_id == files.c.tenant_id, every.c.file_id == files.c.id)
        .scalar_subquery()
    )
    has_alias = exists().where(holds, aliases.c.file_id == files.c.id)
    labels = {"same_draft": same_draft, "same_bytes": same_bytes, "numbers": numbers, "has_alias": has_alias}
    labelled = (column.label(name) for name, column in labels.items())
    statement = (
        select(*FILE, files.c.deleted_at, *labelled)
        .join(generations, NEWEST)
        .where(in_tenant(tenant_id, files), files.c.id.in_(union_all(*(one.correlate(None) for one in wanted))))
    )
    return connection.execute(statement).mappings().all()


def _is_of(generation: ReadOnlyColumnCollection[str, Any], draft: FileDraft) -> ColumnElement[bool]:
    """Whether a generation is to hold what the draft announces, as far as that is known of both."""
    if draft.source_url is not None:
        return and_(generation.source_url == draft.source_url)
    known = generation.checksum_sha256
    same_sum = true() if draft.checksum_sha256 is None else known.is_(None) | (known == draft.checksum_sha256)
    return and_(generation.source_url.is_(None), generation.size_bytes == draft.size_bytes, same_sum)


def _renew_attributes(
    connection: Connection, tenant_id: UUID, known: RowMapping | None, draft: FileDraft, now: datetime
) -> None:
    """Give the file of the draft's name the draft's attributes, whether or not its bytes are new."""
    if known is not None and draft.attributes is not None:
        set_attributes(connection, tenant_id, known["collection_id"], known["id"], draft.attributes, now=now)


def _supersede(connection: Connection, tenant_id: UUID, known: RowMapping, now: datetime) -> None:
    """End a generation whose bytes never came; what still arrives by its form is purged once the form is void.

    Raises:
        Conflict: the bytes came.
    """
    statement = (
        update(generations)
        .values(
            stage=Stage.failed.value,
            problem=stored_problem(SUPERSEDED),
            charged=False,
            retired_at=now,
            purge_after=generations.c.deadline,
            updated_at=now,
        )
        .where(
            in_tenant(tenant_id, generations),
            generations.c.file_id == known["id"],
            generations.c.number == known["generation"],
            generations.c.stage == Stage.awaiting_upload.value,
        )
        .returning(generations.c.size_bytes)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise under_way()
    uncharge(connection, {(tenant_id, known["collection_id"]): row.size_bytes})


def _charge(connection: Connection, collection: RowMapping, draft: FileDraft, quotas: Quotas, *, is_new: bool) -> None:
    taken: dict[str, Any] = {"storage_bytes": collections.c.storage_bytes + draft.size_bytes}
    statement = update(collections).where(
        in_tenant(collection["tenant_id"], collections), collections.c.id == collection["id"]
    )
    if is_new:
        taken["file_count"] = collections.c.file_count + 1
        statement = statement.where(collections.c.file_count < quotas.files)
    if connection.execute(statement.values(taken)).rowcount == 0:
        raise quota_exceeded("files", quotas.files)
    limit = quotas.storage_bytes
    if not charge_owner(connection, collection["tenant_id"], collection["owner_id"], draft.size_bytes, limit):
        raise quota_exceeded("storage_bytes", limit)


def _add_file(connection: Connection, ref: FileRef, principal: Principal, draft: FileDraft, now: datetime) -> None:
    values = {
        "tenant_id": ref.tenant_id,
        "id": ref.file_id,
        "collection_id": ref.collection_id,
        "name": draft.name,
        "generation": ref.generation,
        "origin_id": draft.origin_id,
        "created_by": principal.user_id,
        "created_at": now,
        **stored_attributes(draft.attributes or {}),
    }
    connection.execute(insert(files).values(values))


def _point_to(connection: Connection, ref: FileRef) -> None:
    """Make the generation its file's newest."""
    connection.execute(
        update(files)
        .values(generation=ref.generation)
        .where(in_tenant(ref.tenant_id, files), files.c.id == ref.file_id)
    )


def _retire_failed(connection: Connection, ref: FileRef, number: int, now: datetime) -> None:
    """The failed generation before this one will not be tried again."""
    connection.execute(
        update(generations)
        .values(retired_at=now, purge_after=now + PURGE_AFTER)
        .where(
            in_tenant(ref.tenant_id, generations),
            generations.c.file_id == ref.file_id,
            generations.c.number == number,
            generations.c.retired_at.is_(None),
        )
    )


def _insert_generation(
    connection: Connection, principal: Principal, ref: FileRef, draft: FileDraft, *, quotas: Quotas, now: datetime
) -> None:
    values = {
        "tenant_id": ref.tenant_id,
        "file_id": ref.file_id,
        "number": ref.generation,
        "source": ref.generation,
        "draft_id": draft.id,
        "stage": Stage.awaiting_upload.value,
        "media_type": draft.media_type,
        "size_bytes": draft.size_bytes,
        "checksum_sha256": draft.checksum_sha256,
        "source_url": draft.source_url,
        "storage_limit": quotas.storage_bytes,
        "charged": True,
        "deadline": draft.deadline,
        "uploaded_by": principal.user_id,
        "arrives_until": draft.arrives_until,
        "created_at": now,
        "updated_at": now,
    }
    connection.execute(insert(generations).values(values))

"""The generations that can be claimed, and the values of a claim."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    case,
    exists,
    or_,
    select,
    update,
)

from modulo.adapters.postgres.announcements import WATCHED, note
from modulo.adapters.postgres.rows import OF_COLLECTION, OF_FILE, in_tenant, space
from modulo.adapters.postgres.tables import collections, files, generations, indexes, members
from modulo.domain.collections.collection import Chunking
from modulo.domain.ingestion.claim import Claim
from modulo.domain.tenancy.identity import Role

if TYPE_CHECKING:
    from modulo.domain.documents.document import Part
    from modulo.domain.files.file import FileRef

_WANTED = or_(
    generations.c.number == files.c.generation,
    and_(generations.c.source != generations.c.number, generations.c.retired_at.is_(None)),
)

LIVING = and_(OF_FILE, _WANTED, OF_COLLECTION, files.c.deleted_at.is_(None), collections.c.deleted_at.is_(None))
"""A generation that is its file's newest, or embeds it anew, and is not deleted with the file or the collection."""


def _of_index(name: str) -> ColumnElement[Any]:
    """What the generation's index is made with: the collection's own, or another one's."""
    other = (
        select(indexes.c[name])
        .where(indexes.c.tenant_id == collections.c.tenant_id, indexes.c.collection_id == collections.c.id)
        .where(indexes.c.number == generations.c.index_number)
        .scalar_subquery()
    )
    is_own = generations.c.index_number == collections.c.index_number
    return case((is_own, collections.c[name]), else_=other).label(name)


_MAY_UPLOAD = or_(
    generations.c.arrives_until.is_(None),
    generations.c.uploaded_by.is_(None),
    exists()
    .where(members.c.tenant_id == collections.c.tenant_id, members.c.collection_id == collections.c.id)
    .where(members.c.user_id == generations.c.uploaded_by)
    .where(members.c.role.in_([role.value for role in Role if role.allows(Role.editor)])),
)
"""Whether the bytes came without a form, or who got the form may still upload to the collection."""

CLAIMED = (
    collections.c.tenant_id,
    collections.c.id.label("collection_id"),
    collections.c.owner_id,
    collections.c.dedicated,
    _of_index("embedding_model"),
    _of_index("chunking"),
    generations.c.index_number,
    generations.c.source,
    files.c.name,
    generations.c.media_type,
    generations.c.size_bytes,
    generations.c.checksum_sha256,
    generations.c.object_version,
    _MAY_UPLOAD.label("may_upload"),
    generations.c.divided,
    WATCHED,
)
"""The columns of a `Claim`, besides its token and attempt, and whether the collection has subscriptions."""


def generation_of(ref: FileRef) -> ColumnElement[bool]:
    """The generation, which joins its file."""
    return and_(
        in_tenant(ref.tenant_id, generations, files),
        files.c.collection_id == ref.collection_id,
        generations.c.file_id == ref.file_id,
        generations.c.number == ref.generation,
    )


def held(claim: Claim) -> ColumnElement[bool]:
    """The claimed generation, as long as the claim holds."""
    return and_(LIVING, generation_of(claim.ref), generations.c.claim_token == claim.token)


def changed(connection: Connection, ref: FileRef, which: ColumnElement[bool], values: dict[str, Any]) -> bool:
    """Change the generation that a condition names, and announce it; False where the condition does not hold."""
    row = connection.execute(update(generations).where(which).values(values).returning(WATCHED)).one_or_none()
    if row is not None:
        note(connection, ref.tenant_id, ref.collection_id, row.watched)
    return row is not None


def claim_of(ref: FileRef, row: RowMapping, *, token: UUID, attempt: int, part: Part | None = None) -> Claim:
    """The claim of a generation, or of a part of it, from the columns `CLAIMED`."""
    return Claim(
        ref=replace(ref, source=row["source"]),
        token=token,
        attempt=attempt,
        space=space(row),
        chunking=Chunking.model_validate(row["chunking"]),
        name=row["name"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        checksum_sha256=row["checksum_sha256"],
        object_version=row["object_version"],
        may_upload=row["may_upload"] or attempt > 1 or part is not None,
        divided=row["divided"],
        part=part,
    )

"""What a search asks of Postgres: one statement each, built once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Uuid, any_, bindparam, select

from modulo.adapters.postgres_rows import MEMBERSHIP, OF_COLLECTION, SPACE, in_tenant, space
from modulo.adapters.postgres_tables import collections, files, generations, members
from modulo.domain.errors import NotFound
from modulo.domain.file import DocumentInfo
from modulo.domain.identity import Principal
from modulo.domain.passage import LiveDocument
from modulo.domain.transfer import Grant

_GRANT = (
    select(*SPACE, collections.c.version)
    .join(members, MEMBERSHIP)
    .where(
        in_tenant(bindparam("tenant_id", type_=Uuid()), collections, members),
        collections.c.id == bindparam("collection_id"),
        collections.c.deleted_at.is_(None),
        members.c.user_id == bindparam("user_id"),
    )
)
_LIVE_DOCUMENTS = (
    select(files.c.id, generations.c.number, files.c.name, generations.c.chunk_count, generations.c.document)
    .add_columns(files.c.created_at)
    .join(generations, (generations.c.tenant_id == files.c.tenant_id) & (generations.c.file_id == files.c.id))
    .join(collections, OF_COLLECTION)
    .where(
        in_tenant(bindparam("tenant_id", type_=Uuid()), files),
        files.c.collection_id == bindparam("collection_id"),
        files.c.id == any_(bindparam("file_ids", type_=ARRAY(Uuid()))),
        files.c.live_generation == generations.c.number,
        files.c.deleted_at.is_(None),
        collections.c.deleted_at.is_(None),
    )
)


def grant(connection: Connection, principal: Principal, collection_id: UUID) -> Grant:
    """Membership and everything a search needs to know of the collection."""
    who = {"tenant_id": principal.tenant_id, "user_id": principal.user_id, "collection_id": collection_id}
    row = connection.execute(_GRANT, who).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Grant(space(row), row["version"])


def live_documents(
    connection: Connection, tenant_id: UUID, collection_id: UUID, file_ids: Sequence[UUID]
) -> dict[UUID, LiveDocument]:
    """The live generations among the files."""
    wanted = {"tenant_id": tenant_id, "collection_id": collection_id, "file_ids": list(file_ids)}
    return {row.id: _live(row) for row in connection.execute(_LIVE_DOCUMENTS, wanted)}


def _live(row: Any) -> LiveDocument:
    info = DocumentInfo.model_validate(row.document)
    return LiveDocument(row.id, row.number, row.name, row.chunk_count, info, row.created_at.isoformat())

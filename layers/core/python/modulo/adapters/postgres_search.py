"""What a search asks of Postgres: one statement each, built once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Select, Uuid, any_, bindparam, exists, func, select, true
from sqlalchemy.dialects.postgresql import JSONB

from modulo.adapters.postgres_rows import MEMBERSHIP, SPACE, in_tenant, space
from modulo.adapters.postgres_tables import collections, files, generations, members
from modulo.adapters.postgres_usage import reserving
from modulo.domain.errors import NotFound
from modulo.domain.file import DocumentInfo
from modulo.domain.identity import Principal
from modulo.domain.passage import LiveDocument
from modulo.domain.quota import Reservation
from modulo.domain.transfer import Grant, Live

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
_DOCUMENTS = (
    select(files.c.id, generations.c.number, files.c.name, generations.c.chunk_count, generations.c.document)
    .add_columns(files.c.created_at, generations.c.source_url)
    .join(generations, (generations.c.tenant_id == files.c.tenant_id) & (generations.c.file_id == files.c.id))
    .where(
        in_tenant(bindparam("tenant_id", type_=Uuid()), files),
        files.c.collection_id == bindparam("collection_id"),
        files.c.id == any_(bindparam("file_ids", type_=ARRAY(Uuid()))),
        files.c.live_generation == generations.c.number,
        files.c.deleted_at.is_(None),
    )
)


def _live_documents(*, reserve: bool) -> Select[Any]:
    """The grant with all documents in one row, whose columns are read once; none where nothing is granted."""
    granted = _GRANT.add_columns(members.c.user_id).cte("granted")
    live = _DOCUMENTS.subquery("live")
    documents = select(func.jsonb_agg(live.table_valued(), type_=JSONB)).scalar_subquery()
    reserved = select(exists(reserving(granted).select())).scalar_subquery() if reserve else true()
    return select(granted, documents.label("documents"), reserved.label("reserved"))


_LIVE_DOCUMENTS = {reserve: _live_documents(reserve=reserve) for reserve in (False, True)}


def grant(connection: Connection, principal: Principal, collection_id: UUID) -> Grant:
    """Membership and everything a search needs to know of the collection."""
    row = connection.execute(_GRANT, _asked(principal, collection_id)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Grant(space(row), row["version"])


def live_documents(
    connection: Connection,
    principal: Principal,
    collection_id: UUID,
    file_ids: Sequence[UUID],
    reservation: Reservation | None,
) -> Live:
    """The live generations among the files, with the grant of that moment and tokens reserved."""
    asked = _asked(principal, collection_id) | {"file_ids": list(file_ids)}
    if reservation:
        asked |= {"period": reservation.period, "tokens": reservation.tokens, "limit": reservation.limit}
    row = connection.execute(_LIVE_DOCUMENTS[reservation is not None], asked).mappings().one_or_none()
    if row is None:
        raise NotFound
    found = [_live(document) for document in row["documents"] or ()]
    return Live(Grant(space(row), row["version"]), {one.file_id: one for one in found}, row["reserved"])


def _asked(principal: Principal, collection_id: UUID) -> dict[str, Any]:
    return {"tenant_id": principal.tenant_id, "user_id": principal.user_id, "collection_id": collection_id}


def _live(document: Mapping[str, Any]) -> LiveDocument:
    return LiveDocument(
        UUID(document["id"]),
        document["number"],
        document["name"],
        document["chunk_count"],
        DocumentInfo.model_validate(document["document"]),
        datetime.fromisoformat(document["created_at"]).isoformat(),
        document["source_url"],
    )

"""What a search asks of Postgres: one statement each, built once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    false,
    func,
    select,
    true,
    union_all,
)

from modulo.adapters.metadata_rules import printable
from modulo.adapters.postgres_moment import Moment
from modulo.adapters.postgres_rows import MEMBERSHIP, SPACE, in_tenant, space
from modulo.adapters.postgres_tables import aliases, collections, files, generations, members
from modulo.adapters.postgres_usage import reserving
from modulo.domain.errors import NotFound
from modulo.domain.filters import DATES, Comparison, Condition, FilterField
from modulo.domain.identity import Principal
from modulo.domain.passage import LiveDocument
from modulo.domain.quota import Reservation
from modulo.domain.transfer import Grant, Live, Matching

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
_GENERATIONS = and_(generations.c.tenant_id == files.c.tenant_id, generations.c.file_id == files.c.id)
_named = files.alias("named")


def _of_collection(table: FromClause) -> ColumnElement[bool]:
    return and_(
        table.c.tenant_id == bindparam("tenant_id", type_=Uuid()), table.c.collection_id == bindparam("collection_id")
    )


_LIVE = and_(_of_collection(files), files.c.live_generation == generations.c.number, files.c.deleted_at.is_(None))
_DOCUMENTS = (
    select(files.c.id.label("file_id"), generations.c.number.label("generation"), files.c.name)
    .add_columns(generations.c.chunk_count, generations.c.document.label("info"))
    .add_columns(files.c.created_at, generations.c.source_url.label("url"))
    .join(generations, _GENERATIONS)
    .where(_LIVE, files.c.id == any_(bindparam("file_ids", type_=ARRAY(Uuid()))))
)
_READ = TypeAdapter(list[LiveDocument])


def _live_documents(*, reserve: bool) -> Select[Any]:
    """The grant with all documents in one row, as one text; no row where nothing is granted."""
    granted = _GRANT.add_columns(members.c.user_id).cte("granted")
    live = _DOCUMENTS.subquery("live")
    documents = select(cast(func.json_agg(live.table_valued()), Text)).scalar_subquery()
    reserved = select(exists(reserving(granted).select())).scalar_subquery() if reserve else true()
    return select(granted, documents.label("documents"), reserved.label("reserved"))


_LIVE_DOCUMENTS = {reserve: _live_documents(reserve=reserve) for reserve in (False, True)}


def grant(connection: Connection, principal: Principal, collection_id: UUID) -> Grant:
    """Membership and everything a search needs to know of the collection."""
    row = connection.execute(_GRANT, _asked(principal, collection_id)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Grant(space(row), row["version"])


def matching(
    connection: Connection, principal: Principal, collection_id: UUID, conditions: Sequence[Condition], limit: int
) -> Matching:
    """The grant with the ids of the files whose live documents meet the conditions."""
    found = select(files.c.id).join(generations, _GENERATIONS).where(_LIVE, *map(_meets, conditions)).limit(limit)
    ids = select(func.array_agg(found.subquery("found").c.id, type_=ARRAY(Uuid()))).scalar_subquery()
    statement = select(_GRANT.cte("granted"), ids.label("file_ids"))
    row = connection.execute(statement, _asked(principal, collection_id)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Matching(Grant(space(row), row["version"]), tuple(row["file_ids"] or ()))


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
    found = _READ.validate_json(row["documents"] or "[]")
    return Live(Grant(space(row), row["version"]), {one.file_id: one for one in found}, row["reserved"])


def _meets(condition: Condition) -> ColumnElement[bool]:
    match condition.field:
        case FilterField.source:
            named = select(_named.c.id).where(_of_collection(_named), _named.c.deleted_at.is_(None))
            aliased = select(aliases.c.file_id).where(_of_collection(aliases))
            return files.c.id.in_(
                union_all(
                    named.where(_compared(_named.c.name, condition)),
                    aliased.where(_compared(aliases.c.name, condition)),
                )
            )
        case FilterField.created_at:
            return _compared(files.c.created_at, condition)
    if condition.field in DATES:
        return _compared(generations.c[condition.field.value], condition)
    return _compared(generations.c.document[condition.field.value].astext, condition)


def _compared(column: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    values = condition.values
    if condition.comparison is Comparison.within:
        known = [text for text in map(str, values) if text == printable(text)]
        return column == any_(bindparam(None, known, type_=ARRAY(Text)))
    (value,) = values
    if condition.comparison is Comparison.contains:
        text = str(value)
        return func.strpos(column, bindparam(None, text, type_=Text)) > 0 if text == printable(text) else false()
    bound = bindparam(None, value, type_=Moment())
    return column >= bound if condition.comparison is Comparison.gte else column < bound


def _asked(principal: Principal, collection_id: UUID) -> dict[str, Any]:
    return {"tenant_id": principal.tenant_id, "user_id": principal.user_id, "collection_id": collection_id}

"""What a search may see: one statement a method, built once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import (
    ARRAY,
    CTE,
    Column,
    ColumnElement,
    Connection,
    Interval,
    MetaData,
    RowMapping,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import array

from modulo.adapters.postgres.document_filters import is_met, meets, of_collections
from modulo.adapters.postgres.pools import Pooled, autocommit, read
from modulo.adapters.postgres.rows import MEMBERSHIP, OF_FILE, SPACE, in_tenant, space
from modulo.adapters.postgres.tables import collections, files, generations, members
from modulo.adapters.postgres.usage import reserving
from modulo.adapters.postgres.utc_timestamp import Moment
from modulo.domain.collections.grant import Grant, LiveDocuments, MatchingFiles
from modulo.domain.errors import NotFound
from modulo.domain.retrieval.passage import LiveDocument
from modulo.domain.retrieval.search_defaults import SearchDefaults

if TYPE_CHECKING:
    from modulo.domain.retrieval.filters import Condition, Filter
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Reservation

USE_RECORDED_EVERY = timedelta(hours=1)
_USES = Table(
    "collections",
    MetaData(),
    Column("tenant_id", Uuid(), key="of_tenant"),
    Column("id", Uuid(), key="of_collection"),
    Column("last_active_at", Moment()),
)
"""The table under keys that no parameter of a search has: an update would take such a parameter for a new value."""
_GRANTS = (
    select(*SPACE, collections.c.version, collections.c.search_defaults)
    .add_columns(collections.c.expires_after_days.is_not(None).label("expires"))
    .join(members, MEMBERSHIP)
    .where(
        in_tenant(bindparam("tenant_id", type_=Uuid()), collections, members),
        collections.c.id == any_(bindparam("collection_ids", type_=ARRAY(Uuid()))),
        collections.c.deleted_at.is_(None),
        members.c.user_id == bindparam("user_id"),
    )
)
_LIVE = and_(of_collections(files), files.c.live_generation == generations.c.number, files.c.deleted_at.is_(None))
_DOCUMENTS = (
    select(files.c.id.label("file_id"), generations.c.number.label("generation"), files.c.name)
    .add_columns(generations.c.chunk_count, generations.c.document.label("info"))
    .add_columns(files.c.created_at, generations.c.source_url.label("url"), files.c.origin_id, files.c.attributes)
    .join(generations, OF_FILE)
    .where(_LIVE, files.c.id == any_(bindparam("file_ids", type_=ARRAY(Uuid()))))
)
_READ = TypeAdapter(list[LiveDocument])


def _granted(statement: Select[Any] = _GRANTS) -> CTE:
    """The grants, if every collection that is asked for is granted: else none, so that nothing is done for some."""
    found = statement.cte("found")
    asked = func.cardinality(bindparam("collection_ids", type_=ARRAY(Uuid())))
    all_found = select(func.count()).select_from(found).scalar_subquery() == asked
    return select(found).where(all_found).cte("granted")


def live_documents_statement(*, reserve: bool, use: bool = False, conditions: Sequence[Condition] = ()) -> Select[Any]:
    """The grants, the first with all documents as one text; no row where not everything is granted.

    With `use`, the last use of each collection is recorded, at most once an hour.
    """
    granted = _granted(_GRANTS.add_columns(members.c.user_id))
    met = [array([is_met(one) for one in conditions]).label("met")] if conditions else []
    live = _DOCUMENTS.add_columns(*met).subquery("live")
    documents = _once(select(cast(func.json_agg(live.table_valued()), Text)).scalar_subquery())
    reserved = select(exists(reserving(granted).select())).scalar_subquery() if reserve else true()
    found = select(granted, documents.label("documents"), reserved.label("reserved"))
    return found.add_cte(_used(granted)) if use else found


def _once(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value in the first row, and null in the others, which need not repeat it."""
    return case((func.row_number().over() == 1, value))


def _used(granted: CTE) -> CTE:
    """Record the use of the granted collections, but for those whose use another search records just now."""
    seen = _USES.alias("seen")
    due = (
        select(seen.c.of_tenant, seen.c.of_collection)
        .join(granted, and_(seen.c.of_tenant == granted.c.tenant_id, seen.c.of_collection == granted.c.collection_id))
        .where(seen.c.last_active_at < func.now() - literal(USE_RECORDED_EVERY, Interval()))
        .with_for_update(key_share=True, skip_locked=True, of=seen)
        .cte("due")
    )
    return (
        update(_USES)
        .values(last_active_at=func.now())
        .where(_USES.c.of_tenant == due.c.of_tenant, _USES.c.of_collection == due.c.of_collection)
        .returning(_USES.c.of_collection)
        .cte("used")
    )


_LIVE_DOCUMENTS = {
    (reserve, use): live_documents_statement(reserve=reserve, use=use)
    for reserve in (False, True)
    for use in (False, True)
}


class PostgresGrants(Pooled):
    """What a search may see."""

    def grant(self, principal: Principal, collection_id: UUID) -> Grant:
        """Membership and everything a search needs to know of the collection."""
        return self.grants(principal, [collection_id])[0]

    @autocommit  # releases cached results, so a reader that lags must not decide
    def grants(self, connection: Connection, principal: Principal, collection_ids: Sequence[UUID]) -> tuple[Grant, ...]:
        """The same of several collections, in their order."""
        rows = connection.execute(_GRANTS, _asked(principal, collection_ids)).mappings().all()
        return _of_all(rows, collection_ids)

    @read
    def matching(
        self,
        connection: Connection,
        principal: Principal,
        collection_ids: Sequence[UUID],
        where: Filter,
        *,
        limit: int,
    ) -> MatchingFiles:
        """The grants with the ids of the files whose live documents meet the filter."""
        found = select(files.c.id).join(generations, OF_FILE).where(_LIVE, meets(where)).limit(limit + 1)
        named = select(func.array_agg(found.subquery("matching").c.id, type_=ARRAY(Uuid()))).scalar_subquery()
        statement = select(_granted(), _once(named).label("file_ids"))
        rows = connection.execute(statement, _asked(principal, collection_ids)).mappings().all()
        grants = _of_all(rows, collection_ids)
        ids = tuple(rows[0]["file_ids"] or ())
        return MatchingFiles(grants, ids if len(ids) <= limit else None)

    @autocommit
    def live_documents(
        self,
        connection: Connection,
        principal: Principal,
        collection_ids: Sequence[UUID],
        file_ids: Sequence[UUID],
        *,
        reservation: Reservation | None,
        use: bool = False,
        conditions: Sequence[Condition] = (),
    ) -> LiveDocuments:
        """The live generations among the files, with the grants of that moment and tokens reserved."""
        asked = _asked(principal, collection_ids) | {"file_ids": list(file_ids)}
        if reservation:
            asked |= {"period": reservation.period, "tokens": reservation.tokens, "limit": reservation.limit}
        reserve = reservation is not None
        statement = _LIVE_DOCUMENTS[reserve, use]
        if conditions:
            statement = live_documents_statement(reserve=reserve, use=use, conditions=conditions)
        rows = connection.execute(statement, asked).mappings().all()
        grants = _of_all(rows, collection_ids)
        found = _READ.validate_json(rows[0]["documents"] or "[]")
        return LiveDocuments(grants, {one.file_id: one for one in found}, rows[0]["reserved"])


def _asked(principal: Principal, collection_ids: Sequence[UUID]) -> dict[str, Any]:
    return {"tenant_id": principal.tenant_id, "user_id": principal.user_id, "collection_ids": list(collection_ids)}


def _of_all(rows: Sequence[RowMapping], collection_ids: Sequence[UUID]) -> tuple[Grant, ...]:
    """The grants in the order of the collections.

    Raises:
        NotFound: one of them is not granted.
    """
    found = {
        row["collection_id"]: Grant(
            space(row), row["version"], row["expires"], SearchDefaults.model_validate(row["search_defaults"])
        )
        for row in rows
    }
    missing = [one for one in collection_ids if one not in found]
    if missing or not found:
        raise NotFound(about=next(iter(missing), None))
    return tuple(found[one] for one in collection_ids)

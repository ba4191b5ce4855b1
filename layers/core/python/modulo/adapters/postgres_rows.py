"""What statements share: the tenant predicate, joins, locks, and how rows become values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    TableValuedAlias,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    column,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.types import TypeEngine

from modulo.adapters.metadata_rules import require, stages
from modulo.adapters.postgres_announcing import WATCHED, note
from modulo.adapters.postgres_tables import aliases, collections, files, generations, members, users
from modulo.domain.collection import Collection, EmbeddingModel, Space, status_of
from modulo.domain.errors import NotFound
from modulo.domain.file import File, Stage
from modulo.domain.identity import Principal, Role


def in_tenant(tenant_id: UUID | BindParameter[UUID], *tables: Table) -> ColumnElement[bool]:
    """The tenant predicate: part of every statement that is not about all tenants."""
    return and_(*(table.c.tenant_id == tenant_id for table in tables))


NEWEST = and_(
    generations.c.tenant_id == files.c.tenant_id,
    generations.c.file_id == files.c.id,
    generations.c.number == files.c.generation,
)
"""The newest generation of a file."""

OF_COLLECTION = and_(files.c.tenant_id == collections.c.tenant_id, files.c.collection_id == collections.c.id)
"""The files of a collection."""

MEMBERSHIP = and_(members.c.tenant_id == collections.c.tenant_id, members.c.collection_id == collections.c.id)
"""The members of a collection."""

_live = generations.alias("live")
LIVE_SOURCE = (
    select(_live.c.source)
    .where(_live.c.tenant_id == files.c.tenant_id, _live.c.file_id == files.c.id)
    .where(_live.c.number == files.c.live_generation)
    .scalar_subquery()
    .label("live_source")
)
"""The generation that was uploaded as what is the live one now."""
ALIASES = (
    select(func.array_agg(aggregate_order_by(aliases.c.name, aliases.c.name.collate("C")), type_=ARRAY(Text)))
    .where(aliases.c.tenant_id == files.c.tenant_id, aliases.c.file_id == files.c.id)
    .correlate(files)
    .scalar_subquery()
)
"""A file's other names."""

FILE = (
    files.c.id,
    files.c.collection_id,
    files.c.name,
    func.coalesce(ALIASES, literal([], ARRAY(Text))).label("aliases"),
    generations.c.stage,
    files.c.generation,
    files.c.live_generation,
    generations.c.source,
    LIVE_SOURCE,
    generations.c.media_type,
    generations.c.size_bytes,
    generations.c.checksum_sha256,
    generations.c.source_url,
    generations.c.checked_at,
    generations.c.pages_done,
    generations.c.pages_total,
    generations.c.started_at,
    generations.c.chunk_count,
    generations.c.problem,
    generations.c.document,
    files.c.created_by,
    files.c.created_at,
    generations.c.updated_at,
)
"""The columns of a `File`, under its names."""

_before = generations.alias("before")
WAS_CHARGED = (
    select(case((_before.c.charged, _before.c.size_bytes), else_=0))
    .where(_before.c.tenant_id == generations.c.tenant_id, _before.c.file_id == generations.c.file_id)
    .where(_before.c.number == generations.c.number)
    .scalar_subquery()
    .label("was_charged")
)
"""The bytes that an updated generation was charged before; the collection must be locked."""

SPACE = (
    collections.c.tenant_id,
    collections.c.id.label("collection_id"),
    collections.c.owner_id,
    collections.c.embedding_model,
    collections.c.dedicated,
    collections.c.index_number,
)
"""The columns of a `Space`: the one that searches see."""


def visible(principal: Principal, collection_id: UUID) -> ColumnElement[bool]:
    """The one collection, if it lives and the principal is a member of it; needs `MEMBERSHIP`."""
    return and_(
        in_tenant(principal.tenant_id, collections, members),
        collections.c.id == collection_id,
        collections.c.deleted_at.is_(None),
        members.c.user_id == principal.user_id,
    )


def locked(connection: Connection, principal: Principal, collection_id: UUID, needed: Role) -> RowMapping:
    """The collection, held until the transaction ends, once the caller's role suffices.

    Whatever changes a collection, its files or what they are charged takes this lock first and
    users last, so that no two transactions wait for each other.

    Raises:
        NotFound: no such collection is visible to the caller.
        Forbidden: the role does not suffice.
    """
    statement = (
        select(collections, members.c.role, WATCHED)
        .join(members, MEMBERSHIP)
        .where(visible(principal, collection_id))
        .with_for_update(of=collections, key_share=True)
    )
    row = connection.execute(statement).mappings().one_or_none()
    require(row["role"] if row else None, needed)
    return _there(row)


def lock_collection(
    connection: Connection, tenant_id: UUID, collection_id: UUID, *, living: bool = True, waiting: bool = True
) -> RowMapping | None:
    """The collection, held until the transaction ends; None where there is none (alive, if so asked).

    Not waiting finds none either where another transaction holds it.
    """
    statement = (
        select(collections, WATCHED)
        .where(in_tenant(tenant_id, collections), collections.c.id == collection_id)
        .with_for_update(key_share=True, skip_locked=not waiting)
    )
    if living:
        statement = statement.where(collections.c.deleted_at.is_(None))
    return connection.execute(statement).mappings().first()


def changing(connection: Connection, collection: RowMapping) -> None:
    """What its members see of a locked collection changes with the transaction."""
    note(connection, collection["tenant_id"], collection["id"], collection["watched"])


def collections_of(principal: Principal) -> Select[Any]:
    """The living collections the principal is a member of, as `collection` reads them."""
    counts = (
        select(generations.c.stage, func.count().label("files"))
        .select_from(files)
        .join(generations, NEWEST)
        .where(OF_COLLECTION, files.c.deleted_at.is_(None))
        .group_by(generations.c.stage)
        .correlate(collections)
        .subquery()
    )
    by_stage = select(func.jsonb_object_agg(counts.c.stage, counts.c.files, type_=JSONB)).scalar_subquery()
    return (
        select(collections, members.c.role, by_stage.label("stages"))
        .join(members, MEMBERSHIP)
        .where(
            in_tenant(principal.tenant_id, collections, members),
            members.c.user_id == principal.user_id,
            collections.c.deleted_at.is_(None),
        )
    )


def collection(row: RowMapping) -> Collection:
    """A collection as its members see it."""
    by_stage = stages(row["stages"] or {})
    return Collection(
        id=row["id"],
        name=row["name"],
        status=status_of(by_stage),
        role=Role(row["role"]),
        owner_id=row["owner_id"],
        embedding_model=row["embedding_model"]["name"],
        chunking=row["chunking"],
        dedicated=row["dedicated"],
        version=row["version"],
        files=by_stage,
        storage_bytes=row["storage_bytes"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def space(row: RowMapping) -> Space:
    """Where a collection's vectors live."""
    model = EmbeddingModel.model_validate(row["embedding_model"])
    return Space(row["tenant_id"], row["collection_id"], row["owner_id"], model, row["dedicated"], row["index_number"])


def file(row: RowMapping) -> File:
    """A file as its users see it."""
    return File.model_validate({name.name: row[name.name] for name in FILE})


def uncharge(connection: Connection, released: Mapping[tuple[UUID, UUID], int]) -> None:
    """Give storage back to collections, by tenant and id, and to their owners; the collections are locked."""
    amounts = {key: size for key, size in released.items() if size}
    if not amounts:
        return
    given = arrays(
        tenant_id=(Uuid(), [tenant for tenant, _ in amounts]),
        id=(Uuid(), [collection_id for _, collection_id in amounts]),
        bytes=(BigInteger(), list(amounts.values())),
    )
    owners: dict[tuple[UUID, UUID], int] = {}
    returned = connection.execute(
        update(collections)
        .values(storage_bytes=collections.c.storage_bytes - given.c.bytes)
        .where(collections.c.tenant_id == given.c.tenant_id, collections.c.id == given.c.id)
        .returning(collections.c.tenant_id, collections.c.owner_id, given.c.bytes)
    )
    for tenant_id, owner_id, size in returned:
        owners[tenant_id, owner_id] = owners.get((tenant_id, owner_id), 0) + size
    owed = arrays(
        tenant_id=(Uuid(), [tenant for tenant, _ in owners]),
        id=(Uuid(), [owner_id for _, owner_id in owners]),
        bytes=(BigInteger(), list(owners.values())),
    )
    connection.execute(
        update(users)
        .values(storage_bytes=users.c.storage_bytes - owed.c.bytes)
        .where(users.c.tenant_id == owed.c.tenant_id, users.c.id == owed.c.id)
    )


def among(column: ColumnElement[Any], ids: Sequence[UUID]) -> ColumnElement[bool]:
    """The ids sent as one array: the statement stays short however many they are."""
    return column.__eq__(any_(bindparam(None, list(ids), type_=ARRAY(Uuid()))))


def arrays(**columns: tuple[TypeEngine[Any], Iterable[Any]]) -> TableValuedAlias:
    """Rows sent as one array a column: the statement stays short however many they are."""
    parameters = [bindparam(None, list(values), type_=ARRAY(kind)) for kind, values in columns.values()]
    names = [column(name, kind) for name, (kind, _) in columns.items()]
    return func.unnest(*parameters).table_valued(*names).render_derived(name="given")


def _there(row: RowMapping | None) -> RowMapping:
    if row is None:
        raise NotFound
    return row


def stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    """A generation's new values as its columns hold them."""
    return {name: value.value if isinstance(value, Stage) else value for name, value in changes.items()}

"""What statements share: the tenant predicate, joins, locks, and how rows become values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    RowMapping,
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
    literal_column,
)
from sqlalchemy.types import TypeEngine

from modulo.adapters.postgres.tables import collections, files, generations, members
from modulo.domain.collections.collection import EmbeddingModel, Space
from modulo.domain.files.file import Stage
from modulo.domain.tenancy.identity import Role

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal


def in_tenant(tenant_id: UUID | BindParameter[UUID], *tables: Table) -> ColumnElement[bool]:
    """The tenant predicate: part of every statement that is not about all tenants."""
    return and_(*(table.c.tenant_id == tenant_id for table in tables))


OF_FILE = and_(generations.c.tenant_id == files.c.tenant_id, generations.c.file_id == files.c.id)
"""The generations of a file."""

NEWEST = and_(OF_FILE, generations.c.number == files.c.generation)
"""The newest generation of a file."""

IS_FETCHING = and_(
    generations.c.stage == literal_column(f"'{Stage.awaiting_upload}'"), generations.c.source_url.is_not(None)
)
"""Whether a generation waits for the bytes of its URL."""

SHOWN_STAGE = case((IS_FETCHING, literal_column(f"'{Stage.fetching}'", Text())), else_=generations.c.stage).label(
    "stage"
)
"""A generation's stage as its users see it; without parameters, so that Postgres can group by it."""

OF_COLLECTION = and_(files.c.tenant_id == collections.c.tenant_id, files.c.collection_id == collections.c.id)
"""The files of a collection."""

MEMBERSHIP = and_(members.c.tenant_id == collections.c.tenant_id, members.c.collection_id == collections.c.id)
"""The members of a collection."""

EDITORS = tuple(role.value for role in Role if role.allows(Role.editor))
"""The roles of members who may change a collection's files."""

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


def space(row: RowMapping) -> Space:
    """Where a collection's vectors live."""
    model = EmbeddingModel.model_validate(row["embedding_model"])
    return Space(row["tenant_id"], row["collection_id"], row["owner_id"], model, row["dedicated"], row["index_number"])


def in_stage(stage: Stage) -> ColumnElement[bool]:
    """The generations that their users see in this stage."""
    if stage is Stage.fetching:
        return IS_FETCHING
    stored_so = generations.c.stage == stage.value
    return and_(stored_so, generations.c.source_url.is_(None)) if stage is Stage.awaiting_upload else stored_so


def among(column: ColumnElement[Any], ids: Sequence[UUID]) -> ColumnElement[bool]:
    """The ids sent as one array: the statement stays short however many they are."""
    return column.__eq__(any_(bindparam(None, list(ids), type_=ARRAY(Uuid()))))


def arrays(**columns: tuple[TypeEngine[Any], Iterable[Any]]) -> TableValuedAlias:
    """Rows sent as one array a column: the statement stays short however many they are."""
    parameters = [bindparam(None, list(values), type_=ARRAY(kind)) for kind, values in columns.values()]
    names = [column(name, kind) for name, (kind, _) in columns.items()]
    return func.unnest(*parameters).table_valued(*names).render_derived(name="given")


def stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    """A generation's new values as its columns hold them."""
    return {name: value.value if isinstance(value, Stage) else value for name, value in changes.items()}

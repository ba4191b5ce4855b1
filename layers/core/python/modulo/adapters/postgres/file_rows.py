"""The columns of files, and how their rows become values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    RowMapping,
    Text,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from modulo.adapters.postgres.rows import (
    IS_FETCHING,
    MEMBERSHIP,
    NEWEST,
    OF_COLLECTION,
    SHOWN_STAGE,
    visible,
)
from modulo.adapters.postgres.tables import aliases, collections, files, generations, members
from modulo.domain.errors import NotFound
from modulo.domain.files.file import File

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal

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
    SHOWN_STAGE,
    files.c.generation,
    files.c.live_generation,
    generations.c.source,
    LIVE_SOURCE,
    generations.c.media_type,
    generations.c.size_bytes,
    generations.c.checksum_sha256,
    generations.c.source_url,
    files.c.origin_id,
    generations.c.checked_at,
    generations.c.pages_done,
    generations.c.pages_total,
    generations.c.started_at,
    generations.c.chunk_count,
    generations.c.problem,
    case((IS_FETCHING, generations.c.next_attempt_at)).label("next_attempt_at"),
    generations.c.document,
    files.c.attributes,
    files.c.created_by,
    files.c.created_at,
    generations.c.updated_at,
)
"""The columns of a `File`, under its names."""


def file(row: RowMapping) -> File:
    """A file as its users see it."""
    return File.model_validate({name.name: row[name.name] for name in FILE})


def find_file(connection: Connection, principal: Principal, collection_id: UUID, file_id: UUID) -> File:
    """The file, or the copy of a user file, if the principal may see it.

    Raises:
        NotFound: there is no such file, or it is not visible to the principal.
    """
    return file(find_row(connection, principal, collection_id, file_id))


def find_row(
    connection: Connection, principal: Principal, collection_id: UUID, file_id: UUID, *more: ColumnElement[Any]
) -> RowMapping:
    """The row of a file with more columns, as `find_file`."""
    statement = (
        select(*FILE, *more)
        .join(generations, NEWEST)
        .join(collections, OF_COLLECTION)
        .join(members, MEMBERSHIP)
        .where(visible(principal, collection_id), files.c.deleted_at.is_(None))
        .where(or_(files.c.id == file_id, files.c.origin_id == file_id))
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound
    return row

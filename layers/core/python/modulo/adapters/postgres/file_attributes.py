"""Attributes of files, as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, update
from sqlalchemy.dialects.postgresql import JSONB

from modulo.adapters.postgres.aliases import raise_version
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.tables import files
from modulo.domain.files.attributes import AttributeValue, dates_in


def stored_attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, object]:
    """The columns that hold them."""
    return {"attributes": dict(attributes), "attribute_dates": dates_in(attributes)}


def loaded_attributes(stored: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """The attributes that a row holds; JSON has no tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()}


def set_attributes(
    connection: Connection,
    tenant_id: UUID,
    collection_id: UUID,
    file_id: UUID,
    attributes: Mapping[str, AttributeValue],
    *,
    now: datetime,
) -> None:
    """Give a living file of a locked collection these attributes; searches may find it by others from now on."""
    changed = (
        update(files)
        .values(stored_attributes(attributes))
        .where(in_tenant(tenant_id, files), files.c.collection_id == collection_id, files.c.id == file_id)
        .where(files.c.deleted_at.is_(None), files.c.attributes != bindparam(None, dict(attributes), type_=JSONB))
    )
    if connection.execute(changed).rowcount:
        raise_version(connection, tenant_id, collection_id, now)

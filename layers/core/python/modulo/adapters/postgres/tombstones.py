"""Tombstones of files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    update,
)

from modulo.adapters.postgres.locks import note_change
from modulo.adapters.postgres.receipts import open_receipts
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.tables import aliases, collections, files, generations
from modulo.domain.files.file import Stage
from modulo.domain.files.generation import PURGE_AFTER

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal


def is_of_archive(name: ColumnElement[str] | ScalarSelect[str]) -> ColumnElement[bool]:
    """Whether a file is one that the archive of that name was expanded into."""
    return func.starts_with(files.c.name, name.concat("/"))


def tombstone(
    connection: Connection, principal: Principal, collection: RowMapping, rows: Sequence[RowMapping], *, now: datetime
) -> None:
    """Make living files of a locked collection invisible, each with a receipt of its own."""
    note_change(connection, collection)
    open_receipts(connection, principal.tenant_id, [collection], principal.user_id, of=rows, now=now)
    ids = bindparam(None, [row["id"] for row in rows], type_=ARRAY(Uuid))
    gone = update(files).where(in_tenant(principal.tenant_id, files), files.c.id == any_(ids))
    connection.execute(gone.values(deleted_at=now, purge_after=now + PURGE_AFTER))
    connection.execute(delete(aliases).where(in_tenant(principal.tenant_id, aliases), aliases.c.file_id == any_(ids)))
    ended = {"stage": Stage.deleting.value, "claim_token": None, "lease_until": None, "purge_after": None}
    connection.execute(
        update(generations)
        .values(**ended, updated_at=now)
        .where(in_tenant(principal.tenant_id, generations), generations.c.file_id == any_(ids))
    )
    fewer = {"file_count": collections.c.file_count - len(rows), "version": collections.c.version + 1}
    connection.execute(
        update(collections)
        .values(**fewer, updated_at=now)
        .where(in_tenant(principal.tenant_id, collections), collections.c.id == collection["id"])
    )

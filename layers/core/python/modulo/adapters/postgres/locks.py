"""Locks on collections: whatever changes a collection, its files or their charges takes its lock first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import (
    Connection,
    RowMapping,
    select,
)

from modulo.adapters.postgres.announcements import WATCHED, note
from modulo.adapters.postgres.rows import MEMBERSHIP, in_tenant, visible
from modulo.adapters.postgres.rules import require
from modulo.adapters.postgres.tables import collections, members
from modulo.domain.errors import NotFound

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal, Role


def locked(connection: Connection, principal: Principal, collection_id: UUID, needed: Role) -> RowMapping:
    """Lock the collection until the transaction ends, once the caller's role suffices.

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
    """Lock the collection until the transaction ends; None where there is none, or none that lives if `living`.

    Without `waiting`, None also where another transaction has locked it.
    """
    statement = (
        select(collections, WATCHED)
        .where(in_tenant(tenant_id, collections), collections.c.id == collection_id)
        .with_for_update(key_share=True, skip_locked=not waiting)
    )
    if living:
        statement = statement.where(collections.c.deleted_at.is_(None))
    return connection.execute(statement).mappings().first()


def note_change(connection: Connection, collection: RowMapping) -> None:
    """Announce, once the transaction is committed, that a locked collection changed."""
    note(connection, collection["tenant_id"], collection["id"], collection["watched"])


def _there(row: RowMapping | None) -> RowMapping:
    if row is None:
        raise NotFound
    return row

"""Deletions: receipts of what was deleted, as users and operators see them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    delete,
    func,
    or_,
    select,
    tuple_,
    union,
    update,
)

from modulo.adapters.postgres.pools import Pooled, autocommit, read, transaction
from modulo.adapters.postgres.receipts import is_revision
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.tables import deletions
from modulo.domain.errors import NotFound
from modulo.domain.operations.deletion import (
    Deletion,
    Inventory,
    Proof,
    ReceiptRevision,
)
from modulo.domain.pagination import Cursor, Listing

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal

_RECEIPT = tuple(deletions.c[name] for name in Deletion.model_fields if name in deletions.c)


class PostgresDeletions(Pooled):
    """The receipts of deletions."""

    @transaction
    def record_removal(
        self,
        connection: Connection,
        tenant_id: UUID,
        receipt: ReceiptRevision,
        inventory: Inventory,
        *,
        cached: int,
        now: datetime,
    ) -> ReceiptRevision | None:
        """Record the inventory, in one conditional update."""
        then = receipt.next(inventory, cached=cached)
        values = {
            "revision": then.revision,
            "removed": then.removed.model_dump(mode="json"),
            "held": then.inventory.model_dump(mode="json"),
            "started_at": func.coalesce(deletions.c.started_at, now),
            "proved_at": now if inventory.nothing else None,
        }
        changed = connection.execute(update(deletions).values(values).where(is_revision(tenant_id, receipt)))
        return then if changed.rowcount else None

    @read
    def list_deletions(
        self, connection: Connection, principal: Principal, *, after: Cursor | None, limit: int
    ) -> Listing[Deletion]:
        """One page, newest first: of what the caller asked for and of what they owned, each by its index."""
        newest = (deletions.c.requested_at.desc(), deletions.c.id.desc())
        asked, owned = (
            select(deletions.c.tenant_id, deletions.c.id, deletions.c.requested_at)
            .where(in_tenant(principal.tenant_id, deletions), who == principal.user_id)
            .where(*_behind(after))
            .order_by(*newest)
            .limit(limit + 1)
            .subquery()
            for who in (deletions.c.requested_by, deletions.c.owner_id)
        )
        ids = union(select(asked.c.id), select(owned.c.id)).subquery()
        statement = (
            select(*_RECEIPT, deletions.c.held, deletions.c.proved_at)
            .join(ids, ids.c.id == deletions.c.id)
            .where(in_tenant(principal.tenant_id, deletions))
            .order_by(*newest)
            .limit(limit + 1)
        )
        found = [_receipt(row) for row in connection.execute(statement).mappings()]
        last = found[limit - 1] if len(found) > limit else None
        following = Cursor(last.requested_at, last.id).encode() if last else None
        return Listing[Deletion](items=tuple(found[:limit]), next=following)

    @autocommit
    def get_deletion(self, connection: Connection, principal: Principal, deletion_id: UUID) -> Deletion:
        """One of them, as it is now: a purge may just have recorded something."""
        statement = select(*_RECEIPT, deletions.c.held, deletions.c.proved_at).where(
            in_tenant(principal.tenant_id, deletions),
            deletions.c.id == deletion_id,
            or_(deletions.c.requested_by == principal.user_id, deletions.c.owner_id == principal.user_id),
        )
        row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            raise NotFound
        return _receipt(row)

    @autocommit
    def find_deletion(self, connection: Connection, tenant_id: UUID, deletion_id: UUID) -> Deletion | None:
        """Any receipt of a tenant."""
        statement = select(*_RECEIPT, deletions.c.held, deletions.c.proved_at)
        found = statement.where(in_tenant(tenant_id, deletions), deletions.c.id == deletion_id)
        row = connection.execute(found).mappings().one_or_none()
        return _receipt(row) if row else None

    @transaction
    def forget_deletions(self, connection: Connection, *, before: datetime, limit: int) -> int:
        """Delete the receipts that were completed longest ago."""
        old = (
            select(deletions.c.tenant_id, deletions.c.id)
            .where(deletions.c.completed_at < before)
            .order_by(deletions.c.completed_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("old")
        )
        at = (deletions.c.tenant_id == old.c.tenant_id, deletions.c.id == old.c.id)
        return connection.execute(delete(deletions).where(*at)).rowcount


def _behind(after: Cursor | None) -> Iterable[ColumnElement[bool]]:
    if after is not None:
        yield tuple_(deletions.c.requested_at, deletions.c.id) < (after.moment, after.id)


def _receipt(row: RowMapping) -> Deletion:
    """A receipt as its readers see it."""
    shown: dict[str, Any] = {column.name: row[column.name] for column in _RECEIPT}
    proved_at = row["proved_at"]
    return Deletion.model_validate(shown | {"proof": Proof(**row["held"], checked_at=proved_at) if proved_at else None})

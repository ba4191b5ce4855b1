"""Tenants, and how a deleted one is removed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.operations.deletion import ReceiptRevision
    from modulo.domain.operations.purge import TenantPurgeStep
    from modulo.domain.tenancy.identity import Tenant


class Tenants(Protocol):
    """Add, list and delete tenants; a deleted one is removed step by step."""

    def add_tenant(self, tenant: Tenant) -> None:
        """Store the tenant; an existing one of the same id is left as it is."""
        ...

    def list_tenants(self, *, after: UUID | None, limit: int, name: str | None = None) -> list[Tenant]:
        """Tenants by id, those behind `after`, or of that name; that of a deleted one is empty once it is purged."""
        ...

    def tenant_deleted(self, tenant_id: UUID) -> bool:
        """Whether the tenant has a tombstone; an unknown one has none."""
        ...

    def tombstone_tenant(self, tenant_id: UUID, *, now: datetime) -> None:
        """End the tenant's keys, refuse it new users, and open the receipt. Doing it again changes nothing.

        Raises:
            NotFound: there is no such tenant.
        """
        ...

    def dismantle(self, tenant_id: UUID, *, now: datetime, limit: int) -> TenantPurgeStep | None:
        """Remove at most `limit` things of each kind of a tombstoned tenant; None without a tombstone, or when gone.

        Collections are tombstoned first. Of those that are purged, all rows are deleted and their receipts are added up
        in the tenant's. Once no collection is left, users are deleted with their keys and usage. While collections
        are being purged there is nothing to do; the next sweeps name the tenant, as should whoever purged one.
        """
        ...

    def end_tenant(self, tenant_id: UUID, receipt: ReceiptRevision, *, now: datetime) -> bool:
        """Complete the receipt of a removed tenant, of which the tombstone stays.

        False where the receipt was revised since, or proves nothing; then nothing changed.
        """
        ...

"""Deletions: receipts of what was deleted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.operations.deletion import Deletion, Inventory, ReceiptRevision
    from modulo.domain.pagination import Cursor, Listing
    from modulo.domain.tenancy.identity import Principal


class Deletions(Protocol):
    """Receipts of deletions: what a purge removed, and the proof that nothing is left.

    A receipt is opened with the tombstone, revised by purges and completed once nothing can arrive any more.
    """

    def record_removal(
        self, tenant_id: UUID, receipt: ReceiptRevision, inventory: Inventory, *, cached: int, now: datetime
    ) -> ReceiptRevision | None:
        """Record in a receipt what the stores still hold, and how many cached entries were removed.

        The receipt's new revision, or None where another purge recorded something in between; then nothing changed.
        """
        ...

    def list_deletions(self, principal: Principal, *, after: Cursor | None, limit: int) -> Listing[Deletion]:
        """The receipts of what the caller deleted, or owned when it was deleted; newest first."""
        ...

    def get_deletion(self, principal: Principal, deletion_id: UUID) -> Deletion:
        """One of them."""
        ...

    def find_deletion(self, tenant_id: UUID, deletion_id: UUID) -> Deletion | None:
        """Any receipt of a tenant, for an operator."""
        ...

    def forget_deletions(self, *, before: datetime, limit: int) -> int:
        """Delete at most `limit` receipts, of all tenants, that were completed before; how many there were."""
        ...

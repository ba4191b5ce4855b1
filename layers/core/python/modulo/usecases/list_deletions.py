"""List the receipts of deletions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.pagination import Cursor

if TYPE_CHECKING:
    from modulo.domain.operations.deletion import Deletion
    from modulo.domain.pagination import Listing
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.deletions import Deletions


def list_deletions(principal: Principal, *, after: str | None, limit: int, deletions: Deletions) -> Listing[Deletion]:
    """A page of the receipts of what the caller deleted, or owned when it was deleted, newest first."""
    cursor = Cursor.decode(after) if after is not None else None
    return deletions.list_deletions(principal, after=cursor, limit=limit)

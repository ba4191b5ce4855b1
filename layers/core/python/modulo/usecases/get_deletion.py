"""Show the receipt of a deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.operations.deletion import Deletion
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.deletions import Deletions


def get_deletion(principal: Principal, deletion_id: UUID, *, deletions: Deletions) -> Deletion:
    """The receipt of a deletion that the caller asked for, or of what the caller owned."""
    return deletions.get_deletion(principal, deletion_id)

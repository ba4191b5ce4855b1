"""List the receipts of deletions."""

from modulo.domain.deletion import Deletion
from modulo.domain.identity import Principal
from modulo.domain.transfer import Cursor
from modulo.domain.value import Listing
from modulo.ports import Metadata


def list_deletions(principal: Principal, *, after: str | None, limit: int, metadata: Metadata) -> Listing[Deletion]:
    """A page of the receipts of what the caller deleted, or owned when it was deleted, newest first."""
    cursor = Cursor.decode(after) if after else None
    return metadata.list_deletions(principal, after=cursor, limit=limit)

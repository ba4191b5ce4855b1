"""List the caller's collections."""

from modulo.domain.collection import Collection
from modulo.domain.identity import Principal
from modulo.domain.transfer import Cursor
from modulo.domain.value import Listing
from modulo.ports import Metadata


def list_collections(
    principal: Principal, *, after: str | None, limit: int, name: str | None, metadata: Metadata
) -> Listing[Collection]:
    """A page of the collections the caller is a member of, newest first."""
    cursor = Cursor.decode(after) if after else None
    return metadata.list_collections(principal, after=cursor, limit=limit, name=name)

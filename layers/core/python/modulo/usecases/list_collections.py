"""List the caller's collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.pagination import Cursor

if TYPE_CHECKING:
    from modulo.domain.collections.collection import Collection
    from modulo.domain.pagination import Listing
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.collections import Collections


def list_collections(
    principal: Principal, *, after: str | None, limit: int, name: str | None, collections: Collections
) -> Listing[Collection]:
    """A page of the collections the caller is a member of, newest first."""
    cursor = Cursor.decode(after) if after is not None else None
    return collections.list_collections(principal, after=cursor, limit=limit, name=name)

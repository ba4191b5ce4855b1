"""List the members of a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.collections.member_cursor import MemberCursor

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collections.member import Member
    from modulo.domain.pagination import Listing
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.members import Members


def list_members(
    principal: Principal, collection_id: UUID, *, after: str | None, limit: int, members: Members
) -> Listing[Member]:
    """A page of a collection's users with their roles, by role and name.

    Raises:
        NotFound: no such collection is visible to the caller.
        InvalidRequest: `after` is no cursor.
    """
    cursor = MemberCursor.decode(after) if after is not None else None
    return members.list_members(principal, collection_id, after=cursor, limit=limit)

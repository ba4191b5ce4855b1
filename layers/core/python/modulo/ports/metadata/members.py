"""Members of collections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.collections.member import Member
    from modulo.domain.collections.member_cursor import MemberCursor
    from modulo.domain.pagination import Listing
    from modulo.domain.tenancy.identity import Principal, Role


class Members(Protocol):
    """Who may use a collection, and in which role."""

    def list_members(
        self, principal: Principal, collection_id: UUID, *, after: MemberCursor | None, limit: int
    ) -> Listing[Member]:
        """One page of those who may use the collection, by role and name."""
        ...

    def set_member(self, principal: Principal, collection_id: UUID, user_id: UUID, role: Role) -> Member:
        """Give a user of the tenant a role; needs the owner, whose own role stays.

        Raises:
            NotFound: the tenant has no such user.
            Conflict: the user is the owner, or would become a second one.
        """
        ...

    def remove_member(self, principal: Principal, collection_id: UUID, user_id: UUID) -> None:
        """End a membership; needs the owner, who stays.

        Raises:
            NotFound: the collection has no such member.
            Conflict: the user is the owner.
        """
        ...

"""Set a member's role in a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import InvalidRequest
from modulo.domain.tenancy.identity import Role

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.collections.member import Member
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.members import Members


def set_member(principal: Principal, collection_id: UUID, user_id: UUID, role: Role, *, members: Members) -> Member:
    """Make a user of the tenant an editor or a viewer; a collection has one owner, its creator.

    Raises:
        InvalidRequest: the role is owner.
        NotFound: the tenant has no such user.
        Conflict: the user is the owner.
    """
    if role is Role.owner:
        raise InvalidRequest.field("role", "must be editor or viewer")
    return members.set_member(principal, collection_id, user_id, role)

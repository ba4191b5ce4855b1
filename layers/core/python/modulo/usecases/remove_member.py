"""Remove a member from a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.members import Members


def remove_member(principal: Principal, collection_id: UUID, user_id: UUID, *, members: Members) -> None:
    """End a membership.

    Raises:
        NotFound: the user is no member.
        Conflict: the user is the owner.
    """
    members.remove_member(principal, collection_id, user_id)

"""List the members of a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.member import Member
from modulo.domain.pagination import Listing

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.identity import Principal
    from modulo.ports.metadata.members import Members


def list_members(principal: Principal, collection_id: UUID, *, members: Members) -> Listing[Member]:
    """The users of a collection, with their roles."""
    return Listing[Member](items=tuple(members.list_members(principal, collection_id)))

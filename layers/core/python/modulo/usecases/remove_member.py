"""End a user's membership of a collection."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.ports import Metadata


def remove_member(principal: Principal, collection_id: UUID, user_id: UUID, *, metadata: Metadata) -> None:
    """End a membership.

    Raises:
        NotFound: the user is no member.
        Conflict: the user is the owner.
    """
    metadata.remove_member(principal, collection_id, user_id)

"""Give a user a role in a collection."""

from uuid import UUID

from modulo.domain.errors import InvalidRequest
from modulo.domain.identity import Principal, Role
from modulo.domain.transfer import Member
from modulo.ports import Metadata


def set_member(principal: Principal, collection_id: UUID, user_id: UUID, role: Role, *, metadata: Metadata) -> Member:
    """Make a user of the tenant an editor or a viewer; a collection has one owner, its creator.

    Raises:
        InvalidRequest: the role is owner.
        NotFound: the tenant has no such user.
        Conflict: the user is the owner.
    """
    if role is Role.owner:
        raise InvalidRequest.field("role", "must be editor or viewer")
    return metadata.set_member(principal, collection_id, user_id, role)

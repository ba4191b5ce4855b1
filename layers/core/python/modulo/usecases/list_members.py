"""List the members of a collection."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.domain.transfer import Member
from modulo.domain.value import Listing
from modulo.ports import Metadata


def list_members(principal: Principal, collection_id: UUID, *, metadata: Metadata) -> Listing[Member]:
    """Who may use a collection, and how."""
    return Listing[Member](items=tuple(metadata.list_members(principal, collection_id)))

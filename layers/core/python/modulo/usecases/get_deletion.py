"""Show the receipt of a deletion."""

from uuid import UUID

from modulo.domain.deletion import Deletion
from modulo.domain.identity import Principal
from modulo.ports import Metadata


def get_deletion(principal: Principal, deletion_id: UUID, *, metadata: Metadata) -> Deletion:
    """The receipt of a deletion that the caller asked for, or of what the caller owned."""
    return metadata.get_deletion(principal, deletion_id)

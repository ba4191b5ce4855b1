"""Take one of a file's other names away."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.ports import Clock, Metadata


def remove_alias(
    principal: Principal, collection_id: UUID, file_id: UUID, name: str, *, metadata: Metadata, clock: Clock
) -> None:
    """The file stays, under its own name and the others.

    Raises:
        NotFound: the file has no such alias.
    """
    metadata.remove_alias(principal, collection_id, file_id, name, now=clock.now())

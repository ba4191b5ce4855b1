"""Show a file."""

from uuid import UUID

from modulo.domain.file import File
from modulo.domain.identity import Principal
from modulo.ports import Metadata


def get_file(principal: Principal, collection_id: UUID, file_id: UUID, *, metadata: Metadata) -> File:
    """A file with its stage, its progress and, where it failed, the reason; never behind the writer."""
    return metadata.get_file(principal, collection_id, file_id, fresh=True)

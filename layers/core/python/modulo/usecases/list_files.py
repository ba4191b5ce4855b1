"""List the files of a collection."""

from uuid import UUID

from modulo.domain.file import File, Stage
from modulo.domain.identity import Principal
from modulo.domain.transfer import Cursor
from modulo.domain.value import Listing
from modulo.ports import Metadata


def list_files(
    principal: Principal,
    collection_id: UUID,
    *,
    after: str | None,
    limit: int,
    stage: Stage | None,
    metadata: Metadata,
) -> Listing[File]:
    """A page of a collection's files, newest first; `stage` keeps those in that stage."""
    cursor = Cursor.decode(after) if after else None
    return metadata.list_files(principal, collection_id, after=cursor, limit=limit, stage=stage)

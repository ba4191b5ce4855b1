"""List the files of a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.pagination import Cursor

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.file import File, Stage
    from modulo.domain.pagination import Listing
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.files import Files


def list_files(
    principal: Principal,
    collection_id: UUID,
    *,
    after: str | None,
    limit: int,
    stage: Stage | None,
    files: Files,
) -> Listing[File]:
    """A page of a collection's files, newest first; `stage` filters them."""
    cursor = Cursor.decode(after) if after is not None else None
    return files.list_files(principal, collection_id, after=cursor, limit=limit, stage=stage)

"""Show a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.file import File
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.files import Files


def get_file(principal: Principal, collection_id: UUID, file_id: UUID, *, files: Files) -> File:
    """A file with its stage, its progress and, where it failed, the reason; read from the writer."""
    return files.get_file(principal, collection_id, file_id, fresh=True)

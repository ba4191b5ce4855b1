"""Update a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.files.file import File, FileChange
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.files import Files


def update_file(
    principal: Principal, collection_id: UUID, file_id: UUID, change: FileChange, *, files: Files, clock: Clock
) -> File:
    """Replace a file's attributes; searches find it by the new ones at once, and nothing is embedded anew."""
    return files.change_file(principal, collection_id, file_id, change, now=clock.now())

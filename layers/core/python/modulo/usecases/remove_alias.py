"""Remove an alias of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.files import Files


def remove_alias(
    principal: Principal, collection_id: UUID, file_id: UUID, name: str, *, files: Files, clock: Clock
) -> None:
    """Remove one alias; the file keeps its name and its other aliases.

    Raises:
        NotFound: the file has no such alias.
    """
    files.remove_alias(principal, collection_id, file_id, name, now=clock.now())

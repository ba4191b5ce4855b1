"""Show a file's text as searches see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.files import Files
    from modulo.ports.metadata.search import Grants
    from modulo.ports.vectors import Vectors


def get_file_text(
    principal: Principal, collection_id: UUID, file_id: UUID, *, files: Files, grants: Grants, vectors: Vectors
) -> Sequence[str]:
    """The texts of its chunks, in their order; they may overlap.

    Raises:
        NotFound: no such file is visible to the caller.
        Conflict: it is not ready.
    """
    file = files.get_file(principal, collection_id, file_id)
    if file.live_generation is None:
        raise Conflict("The file is not ready: its text is known once it is.")
    space = grants.grant(principal, collection_id).space
    return vectors.texts(space, file.live_ref(principal.tenant_id))

"""Show a file by its id alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import NotFound
from modulo.domain.files.user_file import UserFile

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.files import Files
    from modulo.ports.metadata.user_files import UserFiles


def get_user_file(
    principal: Principal, file_id: UUID, *, user_files: UserFiles, files: Files, clock: Clock
) -> UserFile:
    """The caller's own file, or the one of a collection that the caller is a member of.

    Raises:
        NotFound: neither is visible to the caller.
    """
    try:
        return user_files.get_user_file(principal, file_id, now=clock.now())
    except NotFound:
        return UserFile.of_collection(files.find_file(principal, file_id).file)

"""List the files that a user keeps outside collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modulo.domain.files.user_file import Purpose, UserFile
    from modulo.domain.pagination import Page, Window
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.user_files import UserFiles


def list_user_files(
    principal: Principal, window: Window, *, purpose: Purpose | None, user_files: UserFiles, clock: Clock
) -> Page[UserFile]:
    """A window of the caller's own files; `purpose` filters them."""
    return user_files.page_user_files(principal, window, purpose=purpose, now=clock.now())

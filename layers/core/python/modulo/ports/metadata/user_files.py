"""Files that users keep outside collections."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.files.user_file import Purpose, UserFile, UserFileRef
    from modulo.domain.pagination import Page, Window
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas


class UserFiles(Protocol):
    """Keep, list and delete a user's own files, which nobody else sees."""

    def add_user_file(self, principal: Principal, file: UserFile, *, quotas: Quotas) -> None:
        """Store it and charge the user its bytes.

        Raises:
            QuotaExceeded: no file or byte more fits.
        """
        ...

    def page_user_files(
        self, principal: Principal, window: Window, *, purpose: Purpose | None, now: datetime
    ) -> Page[UserFile]:
        """A window of those that have not expired; `purpose` keeps those of one.

        Raises:
            InvalidRequest: it begins at none of them.
        """
        ...

    def get_user_file(self, principal: Principal, file_id: UUID, *, now: datetime) -> UserFile:
        """One of them."""
        ...

    def tombstone_user_file(self, principal: Principal, file_id: UUID, *, now: datetime) -> None:
        """Make it invisible and give its bytes back."""
        ...

    def forget_user_file(self, ref: UserFileRef) -> None:
        """Delete all that is known of a tombstoned one, once its object is gone."""
        ...

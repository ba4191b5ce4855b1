"""Uploads of user files in parts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.files.part_upload import PartUpload
    from modulo.domain.files.user_file import UserFile, UserFileRef
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas


class PartUploads(Protocol):
    """Keep what has arrived of a user's file until all of it is there."""

    def open_upload(
        self,
        principal: Principal,
        file: UserFile,
        *,
        expires_at: datetime,
        file_seconds: int | None,
        quotas: Quotas,
    ) -> None:
        """Charge the user the file's bytes, and store that it is arriving; the sweep deletes it if it does not."""
        ...

    def get_upload(self, principal: Principal, upload_id: UUID, *, now: datetime) -> PartUpload:
        """One that is under way or complete."""
        ...

    def add_part(self, principal: Principal, upload_id: UUID, part_id: UUID, size_bytes: int, *, now: datetime) -> None:
        """Store that a part is there.

        Raises:
            InvalidRequest: there is no room for it.
            Conflict: the upload is complete, or is being completed.
        """
        ...

    def begin_completion(self, principal: Principal, upload_id: UUID, *, until: datetime, now: datetime) -> None:
        """Keep others from changing the upload until then; it does not expire before.

        Raises:
            Conflict: the upload is complete, or somebody else is completing it.
        """
        ...

    def release_completion(self, principal: Principal, upload_id: UUID) -> None:
        """Let others change the upload again."""
        ...

    def end_completion(
        self, principal: Principal, upload_id: UUID, *, completed_with: str, media_type: str, now: datetime
    ) -> None:
        """Make the file visible; its parts, of which the digest is stored, are to be purged."""
        ...

    def cancel_upload(self, principal: Principal, upload_id: UUID, *, now: datetime) -> None:
        """Tombstone the file that is arriving, and give its bytes back.

        Raises:
            Conflict: the upload is complete, or is being completed.
        """
        ...

    def forget_parts(self, ref: UserFileRef) -> None:
        """Delete what is known of the parts of a complete upload, once their objects are gone."""
        ...

"""Uploads of user files in parts, for what one request cannot take."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from modulo.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modulo.domain.files.user_file import Purpose, UserFile, UserFileRef

EXPIRES_AFTER: Final = timedelta(hours=1)
"""How long an upload may take."""
COMPLETION_LEASE: Final = timedelta(minutes=16)
"""Longer than any function runs: after it, whoever was completing the upload is gone."""
MAX_PARTS: Final = 10_000
REPEATED: Final = 2
"""The parts may hold so many times the bytes of the file, since a request is repeated whose answer got lost."""


@dataclass(frozen=True, slots=True)
class NewPartUpload:
    """What a client wants to upload in parts; without seconds the file does not expire."""

    name: str
    purpose: Purpose
    size_bytes: int
    expires_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class PartUpload:
    """An upload in parts. The file has its id, and is None until all is there; `parts` are sizes in bytes by id."""

    id: UUID
    name: str
    purpose: Purpose
    size_bytes: int
    created_at: datetime
    expires_at: datetime
    parts: Mapping[UUID, int]
    file: UserFile | None = None
    completed_with: str | None = None
    """The `digest` of the parts that make up the file; None too where that was not stored yet."""

    def require_same(self, part_ids: Sequence[UUID]) -> None:
        """Make sure that the file is made of these parts, in this order.

        Raises:
            InvalidRequest: it is made of others.
        """
        if self.completed_with not in (None, digest(part_ids)):
            raise InvalidRequest.field("part_ids", "are not those that the upload was completed with")

    def require_whole(self, part_ids: Sequence[UUID]) -> None:
        """Make sure that these parts make up the file.

        Raises:
            InvalidRequest: a part is unknown or named twice, or together they have another size.
        """
        if len(set(part_ids)) < len(part_ids):
            raise InvalidRequest.field("part_ids", "must name each part once")
        if unknown := [part for part in part_ids if part not in self.parts]:
            raise InvalidRequest.field("part_ids", f"names {unknown[0]}, which is no part of this upload")
        size = sum(self.parts[part] for part in part_ids)
        if size != self.size_bytes:
            message = f"name parts of {size} bytes; the upload was created for {self.size_bytes}"
            raise InvalidRequest.field("part_ids", message)

    def require_room(self, size_bytes: int) -> None:
        """Make sure that one more part may be added.

        Raises:
            InvalidRequest: it is empty, or there are too many parts or bytes.
        """
        if size_bytes == 0:
            raise InvalidRequest.field("data", "must hold bytes")
        if len(self.parts) >= MAX_PARTS:
            raise InvalidRequest.field("data", f"is one part too many: an upload has at most {MAX_PARTS}")
        if sum(self.parts.values()) + size_bytes > self.size_bytes * REPEATED:
            message = f"is too large: the upload was created for {self.size_bytes} bytes"
            raise InvalidRequest.field("data", message)


def digest(part_ids: Sequence[UUID]) -> str:
    """What tells the parts of one completion, in their order, from those of another."""
    return hashlib.sha256(b"".join(part.bytes for part in part_ids)).hexdigest()


@dataclass(frozen=True, slots=True)
class UploadPartRef:
    """A part of an upload, identified in full."""

    upload: UserFileRef
    part_id: UUID

    @property
    def key(self) -> str:
        """The key of its object, which is among those of the file that the parts make up."""
        return f"{self.upload.parts_prefix}{self.part_id}"

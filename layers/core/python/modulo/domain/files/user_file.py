"""Files that a user keeps outside any collection, until they are attached to some."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import Field

from modulo.domain.files.file import File
from modulo.domain.model import FrozenModel

MAX_NAMES: Final = 50
"""How many files of a collection may have names that differ in their number only."""


class Purpose(StrEnum):
    """What a user file is kept for; both kinds can be attached to collections."""

    assistants = "assistants"
    user_data = "user_data"


class UserFile(FrozenModel):
    """A file of one user, visible to nobody else. Collections it is attached to hold copies of it."""

    id: UUID
    name: str
    purpose: Purpose
    media_type: str
    size_bytes: int
    created_at: datetime
    expires_at: datetime | None = Field(default=None, description="when it is deleted, with the copies in collections")

    @classmethod
    def of_collection(cls, file: File) -> "UserFile":
        """A file of a collection, as those see it who know files by their ids only."""
        return cls(
            id=file.origin_id or file.id,
            name=file.name,
            purpose=Purpose.assistants,
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            created_at=file.created_at,
        )


@dataclass(frozen=True, slots=True)
class SentUserFile:
    """A user file as it was sent; without seconds it does not expire."""

    name: str
    content: bytes
    purpose: Purpose
    expires_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class UserFileRef:
    """A user file, identified in full."""

    tenant_id: UUID
    user_id: UUID
    file_id: UUID

    @property
    def key(self) -> str:
        """The key of the object that holds its bytes; it raises no ingestion, as no `FileRef` has such a key."""
        return self.prefix + "content"

    @property
    def prefix(self) -> str:
        """The key prefix of all of its objects."""
        return f"tenants/{self.tenant_id}/users/{self.user_id}/files/{self.file_id}/"

    @property
    def parts_prefix(self) -> str:
        """The key prefix of the parts in which it was uploaded, if it was."""
        return self.prefix + "parts/"

    @classmethod
    def of_key(cls, key: str) -> "UserFileRef | None":
        """The user file whose bytes an object key names; None for any other key."""
        match key.split("/"):
            case ["tenants", tenant, "users", user, "files", file, "content"]:
                try:
                    ref = cls(UUID(tenant), UUID(user), UUID(file))
                except ValueError:
                    return None
                return ref if ref.key == key else None
        return None


def numbered(name: str, number: int) -> str:
    """The name that the so manieth file of a name has in a collection: "notes (2).txt"."""
    stem, dot, extension = name.rpartition(".")
    if number == 1:
        return name
    return f"{stem} ({number}){dot}{extension}" if stem else f"{name} ({number})"

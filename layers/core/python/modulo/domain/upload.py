"""What a client says of a file it uploads, and what it is told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from modulo.domain.file import OnDuplicate, Stage
from modulo.domain.transfer import PresignedPost
from modulo.domain.value import Value

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]


DUPLICATE_OF: Any = Field(
    default=None, description="the name of the file that holds these bytes already: nothing was stored or charged"
)


class NewUpload(Value):
    """A file about to be uploaded."""

    name: str = Field(description="the file's name with its extension; the same name again makes a new generation")
    size_bytes: int = Field(ge=0)
    checksum_sha256: Sha256 | None = Field(default=None, description="hexadecimal; bytes that differ are refused")
    on_duplicate: OnDuplicate = OnDuplicate.existing


@dataclass(frozen=True, slots=True)
class SentFile:
    """A small file with what its request says of it."""

    name: str
    content: bytes
    on_duplicate: OnDuplicate = OnDuplicate.existing
    idempotency_key: str | None = None


class UploadTicket(Value):
    """Leave to upload: send `upload.fields` and then the bytes as `file` to `upload.url`.

    Where a file holds the same bytes already, there is nothing to send.
    """

    file_id: UUID
    task_id: UUID
    status: Stage
    generation: int
    upload: PresignedPost | None
    expires_at: datetime | None
    duplicate_of: str | None = DUPLICATE_OF


class UploadReceipt(Value):
    """Bytes that arrived and will be ingested; follow them at the file's own address."""

    file_id: UUID
    task_id: UUID
    status: str = Field(default="processing", description="or ready, where the same bytes were there already")
    generation: int
    duplicate_of: str | None = DUPLICATE_OF


class Download(Value):
    """Where a file can be fetched for a while."""

    url: str
    expires_at: datetime

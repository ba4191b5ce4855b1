"""What a client says of a file it uploads, and what it is told."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from modulo.domain.file import Stage
from modulo.domain.transfer import PresignedPost
from modulo.domain.value import Value

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]


class NewUpload(Value):
    """A file about to be uploaded."""

    name: str = Field(description="the file's name with its extension; the same name again makes a new generation")
    size_bytes: int = Field(ge=0)
    checksum_sha256: Sha256 | None = Field(default=None, description="hexadecimal; bytes that differ are refused")


class UploadTicket(Value):
    """Leave to upload: send `upload.fields` and then the bytes as `file` to `upload.url`."""

    file_id: UUID
    task_id: UUID
    status: Stage
    generation: int
    upload: PresignedPost
    expires_at: datetime


class UploadReceipt(Value):
    """Bytes that arrived and will be ingested; follow them at the file's own address."""

    file_id: UUID
    task_id: UUID
    status: str = "processing"
    generation: int


class Download(Value):
    """Where a file can be fetched for a while."""

    url: str
    expires_at: datetime

"""Uploads: requests, presigned forms, receipts and drafts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints, computed_field

from modulo.domain.citable_url import URL_DESCRIPTION
from modulo.domain.files.attributes import Attributes, AttributeValue
from modulo.domain.files.file import OnDuplicate, Stage
from modulo.domain.files.media import FILE_NAME
from modulo.domain.model import SHA256, FrozenModel
from modulo.domain.request_model import RequestModel

Sha256 = Annotated[str, StringConstraints(pattern=SHA256, to_lower=True)]


DUPLICATE_OF: Any = Field(
    default=None, description="the name of the file that already holds these bytes; nothing was stored or charged"
)


class NewUpload(RequestModel):
    """A file about to be uploaded."""

    name: str = Field(
        json_schema_extra=FILE_NAME,
        description="the file's name with its extension; the same name again makes a new generation",
    )
    size_bytes: int = Field(ge=0)
    checksum_sha256: Sha256 | None = Field(default=None, description="hexadecimal; other bytes are rejected")
    on_duplicate: OnDuplicate = OnDuplicate.existing
    attributes: Attributes | None = None


@dataclass(frozen=True, slots=True)
class SentFile:
    """A small file, uploaded in the request itself."""

    name: str
    content: bytes
    on_duplicate: OnDuplicate = OnDuplicate.existing
    idempotency_key: str | None = None
    attributes: Mapping[str, AttributeValue] | None = None


class PresignedPost(FrozenModel):
    """A presigned form, to be sent as multipart/form-data: the fields first, the file last, as `file`."""

    url: str
    fields: Mapping[str, str]


class UploadTicket(FrozenModel):
    """An upload form: send `upload.fields` and then the bytes as `file` to `upload.url`.

    `upload` is absent where a file already holds the same bytes.
    """

    file_id: UUID
    task_id: UUID
    status: Stage
    generation: int
    upload: PresignedPost | None
    expires_at: datetime | None
    duplicate_of: str | None = DUPLICATE_OF

    @computed_field(description="the same as `file_id`")
    def id(self) -> UUID:
        """The file's id, under the name that every thing's has."""
        return self.file_id


class UploadReceipt(FrozenModel):
    """The bytes arrived and will be ingested; GET the file to follow the progress."""

    file_id: UUID
    task_id: UUID
    status: str = Field(default="processing", description="ready where the same bytes were already there")
    generation: int
    url: str = Field(description=URL_DESCRIPTION)
    duplicate_of: str | None = DUPLICATE_OF

    @computed_field(description="the same as `file_id`")
    def id(self) -> UUID:
        """The file's id, under the name that every thing's has."""
        return self.file_id


class Download(FrozenModel):
    """A URL from which a file can be downloaded until it expires."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FileDraft:
    """A file about to be uploaded; `checksum_sha256` is hexadecimal."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int
    checksum_sha256: str | None
    deadline: datetime
    arrives_until: datetime | None = None
    """Until when its presigned form accepts bytes, repeatedly; None for bytes that arrive without a form, once."""
    on_duplicate: OnDuplicate = OnDuplicate.new
    source_url: str | None = None
    """The URL that its bytes will be fetched from; their size is not known until then."""
    origin_id: UUID | None = None
    """The user file that it is a copy of. Where the collection has a copy, that is what is reserved."""
    attributes: Mapping[str, AttributeValue] | None = None
    """What they are from now on; None for what they were."""

"""Uploads of `/v1`: files in parts."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel, Field

from modulo.domain.errors import InvalidRequest
from modulo.domain.files.media import FILE_NAME, safe_name
from modulo.domain.files.part_upload import MAX_PARTS, NewPartUpload, PartUpload
from modulo.domain.files.user_file import Purpose
from modulo.domain.model import MD5
from modulo.domain.request_model import RequestModel
from modulo.runtime.openai.files import MAX_SECONDS, MIN_SECONDS, FileObject, file_answer

State = Literal["pending", "completed", "cancelled", "expired"]
PART_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["data"],
                    "properties": {"data": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
"""The form for the OpenAPI document."""


class FileExpiry(RequestModel):
    """When the file is deleted."""

    anchor: Literal["created_at"]
    seconds: int = Field(ge=MIN_SECONDS, le=MAX_SECONDS)


class CreateUpload(RequestModel):
    """A file to upload in parts. Its kind is told by its name and its bytes, not by `mime_type`."""

    filename: str = Field(min_length=1, json_schema_extra=FILE_NAME)
    purpose: Purpose
    bytes: int = Field(ge=1)
    mime_type: str = Field(max_length=255)
    expires_after: FileExpiry | None = None

    def wanted(self) -> NewPartUpload:
        """What is to be uploaded.

        Raises:
            InvalidRequest: the name is not usable.
        """
        seconds = self.expires_after.seconds if self.expires_after else None
        return NewPartUpload(safe_name(self.filename, at="filename"), self.purpose, self.bytes, seconds)


class CompleteUpload(RequestModel):
    """The parts in their order, and the checksum that the file has to have."""

    part_ids: tuple[UUID, ...] = Field(min_length=1, max_length=MAX_PARTS)
    md5: Annotated[str, Field(pattern=MD5)] | None = None


class Upload(BaseModel):
    """An upload in parts, with the file once it is complete."""

    id: UUID
    object: Literal["upload"] = "upload"
    bytes: int
    created_at: int
    expires_at: int
    filename: str
    purpose: Purpose
    status: State
    file: FileObject | None


class UploadPart(BaseModel):
    """A part that arrived."""

    id: UUID
    object: Literal["upload.part"] = "upload.part"
    created_at: int
    upload_id: UUID


def upload_answer(upload: PartUpload, status: State | None = None) -> Upload:
    """An upload in the shape of the door."""
    return Upload(
        id=upload.id,
        bytes=upload.size_bytes,
        created_at=int(upload.created_at.timestamp()),
        expires_at=int(upload.expires_at.timestamp()),
        filename=upload.name,
        purpose=upload.purpose,
        status=status or ("pending" if upload.file is None else "completed"),
        file=file_answer(upload.file) if upload.file else None,
    )


def part_answer(upload_id: UUID, part_id: UUID, now: datetime) -> UploadPart:
    """A part that arrived just now."""
    return UploadPart(id=part_id, created_at=int(now.timestamp()), upload_id=upload_id)


async def _part(request: Request) -> bytes:
    async with request.form() as form:
        names = Counter(name for name, _ in form.multi_items())
        for name, number in names.items():
            if name != "data":
                raise InvalidRequest.field(name[:100], "is not a part of this form: send `data`")
            if number > 1:
                raise InvalidRequest.field(name, "must be given once")
        data = form.get("data")
        if data is None or isinstance(data, str):
            raise InvalidRequest.field("data", "must be given as a file")
        return await data.read()


PartForm = Annotated[bytes, Depends(_part)]
"""The bytes of a part."""

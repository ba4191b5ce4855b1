"""Files of `/v1`: what a user keeps outside collections, and files of collections by their id."""

from collections import Counter
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel, TypeAdapter, ValidationError

from modulo.domain.errors import InvalidRequest
from modulo.domain.files.media import safe_name
from modulo.domain.files.user_file import Purpose, SentUserFile, UserFile
from modulo.runtime.upload_form import name_in_form

MIN_SECONDS: Final = 3_600
MAX_SECONDS: Final = 2_592_000
FIELDS: Final = ("file", "purpose", "expires_after[anchor]", "expires_after[seconds]")
FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": list(Purpose)},
                        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
                        "expires_after[seconds]": {"type": "integer", "minimum": MIN_SECONDS, "maximum": MAX_SECONDS},
                    },
                }
            }
        },
    }
}
"""The form for the OpenAPI document."""
_SECONDS = TypeAdapter(int)


class FileObject(BaseModel):
    """A file; that it is `processed` says nothing of the collections it is attached to."""

    id: UUID
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: Purpose
    status: Literal["processed"] = "processed"
    status_details: None = None


class FileDeleted(BaseModel):
    """A file that is gone."""

    id: UUID
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


def file_answer(file: UserFile) -> FileObject:
    """A file in the shape of the door."""
    return FileObject(
        id=file.id,
        bytes=file.size_bytes,
        created_at=int(file.created_at.timestamp()),
        expires_at=int(file.expires_at.timestamp()) if file.expires_at else None,
        filename=file.name,
        purpose=file.purpose,
    )


async def _sent(request: Request) -> SentUserFile:
    async with request.form() as form:
        for name, number in Counter(name for name, _ in form.multi_items()).items():
            if name not in FIELDS:
                message = f"is not a part of this form; known are {', '.join(FIELDS)}"
                raise InvalidRequest.field(name[:100], message)
            if number > 1:
                raise InvalidRequest.field(name, "must be given once")
        file, purpose = form.get("file"), form.get("purpose")
        if file is None or isinstance(file, str):
            raise InvalidRequest.field("file", "must be given as a file with its name")
        if purpose not in list(Purpose):
            message = f"must be one of {', '.join(Purpose)}: nothing else is done with files"
            raise InvalidRequest.field("purpose", message)
        seconds = _expiry(form.get(FIELDS[2]), form.get(FIELDS[3]))
        return SentUserFile(safe_name(name_in_form(file), at="file"), await file.read(), Purpose(str(purpose)), seconds)


def _expiry(anchor: object, seconds: object) -> int | None:
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        raise InvalidRequest.field("expires_after.anchor", "must be created_at")
    try:
        found = _SECONDS.validate_python(seconds)
    except ValidationError:
        found = 0
    if not MIN_SECONDS <= found <= MAX_SECONDS:
        raise InvalidRequest.field("expires_after.seconds", f"must be a number from {MIN_SECONDS} to {MAX_SECONDS}")
    return found


SentFileForm = Annotated[SentUserFile, Depends(_sent)]

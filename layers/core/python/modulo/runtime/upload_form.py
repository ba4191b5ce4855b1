"""The form that sends a small file."""

import re
from collections import Counter
from typing import Annotated

from fastapi import Depends, Form, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import UploadFile as FormFile

from modulo.domain.errors import InvalidRequest
from modulo.domain.files.attributes import Attributes
from modulo.domain.files.file import OnDuplicate
from modulo.domain.files.media import safe_name
from modulo.domain.files.upload import SentFile
from modulo.runtime.json_body import RefusedJson, read_json
from modulo.runtime.parameters import IdempotencyKey

_ATTRIBUTES: TypeAdapter[Attributes] = TypeAdapter(Attributes)
_ESCAPED = {"%22": '"', "%0D": "\r", "%0A": "\n"}
"""All that forms escape in a file's name (HTML Standard, multipart/form-data): browsers, curl and httpx do."""
_ESCAPE = re.compile("|".join(_ESCAPED))


def name_in_form(file: FormFile) -> str:
    """The file's name as its sender has it."""
    return _ESCAPE.sub(lambda found: _ESCAPED[found[0]], file.filename or "")


async def _sent(
    request: Request,
    file: UploadFile,
    on_duplicate: Annotated[OnDuplicate, Query(description="where a file holds the same bytes already")] = (
        OnDuplicate.existing
    ),
    attributes: Annotated[
        str | None, Form(description='JSON such as {"department": "law", "confidential": true, "due": "2026-05-31"}')
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> SentFile:
    names = Counter(name for name, _ in (await request.form()).multi_items())
    for name, number in names.items():
        if name not in ("file", "attributes"):
            raise InvalidRequest.field(name[:100], "is not a part of this form: send one file, as `file`")
        if number > 1:
            raise InvalidRequest.field(name, "must be given once: send each file in a request of its own")
    content = await file.read()
    return SentFile(
        safe_name(name_in_form(file), at="file"), content, on_duplicate, idempotency_key, _attributes(attributes)
    )


def _attributes(text: str | None) -> Attributes | None:
    """The part of a form that holds attributes as JSON.

    Raises:
        InvalidRequest: it is no JSON that makes sense.
        RequestValidationError: it holds no attributes.
    """
    if text is None:
        return None
    try:
        return _ATTRIBUTES.validate_python(read_json(text.encode()))
    except ValidationError as error:
        shown = [{**one, "loc": ("attributes", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(shown) from None
    except RefusedJson as refused:
        raise InvalidRequest.field("attributes", str(refused)) from None
    except ValueError:
        raise InvalidRequest.field("attributes", "must be valid JSON") from None


SmallFile = Annotated[SentFile, Depends(_sent)]

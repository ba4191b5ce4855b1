"""Forms that are cut off: their reader leaves out what does not end, and tells nobody."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from python_multipart.multipart import parse_options_header
from starlette.formparsers import MultiPartException

LINE_END: Final = b"\r\n"


def end_of_form(content_type: str | None) -> bytes | None:
    """The bytes that end the form of a body of that type; None where it is no form."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    return LINE_END + b"--" + boundary + b"--" if kind == b"multipart/form-data" and boundary else None


async def whole_form(chunks: AsyncIterator[bytes], end: bytes) -> AsyncGenerator[bytes, None]:
    """The chunks of a form.

    Raises:
        MultiPartException: it does not end, though it began.
    """
    ended, before = False, LINE_END
    async for chunk in chunks:
        ended = ended or end in chunk or end in before + chunk[: len(end)]
        before = (before + chunk[-len(end) :])[-len(end) :]
        yield chunk
    if not ended and before != LINE_END:
        raise MultiPartException("The form is cut off: the boundary that ends it is missing")

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.formparsers import MultiPartException

from modulo.runtime.whole_form import end_of_form, whole_form

END = b"\r\n--b--"
FORM = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nSnow fell.'


@pytest.mark.parametrize(
    ("content_type", "end"),
    [
        ("multipart/form-data; boundary=b", END),
        ('Multipart/Form-Data; charset=utf-8; boundary="b"', END),
        *((other, None) for other in (None, "", "text/plain; boundary=b", "multipart/form-data")),
    ],
)
def test_the_end_of_a_form_is_told_by_its_type(content_type: str | None, end: bytes | None) -> None:
    assert end_of_form(content_type) == end


def read(body: bytes, size: int) -> bytes:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]
        yield b""

    async def joined() -> bytes:
        return b"".join([chunk async for chunk in whole_form(chunks(), END)])

    return asyncio.run(joined())


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 1_000])
def test_a_form_is_whole_whatever_its_chunks(size: int) -> None:
    for body in (FORM + END, FORM + END + b"\r\n", END.lstrip(), b"", FORM + END + b"an epilogue" * 9):
        assert read(body, size) == body
    for cut in (FORM, FORM + END[:-1], FORM + END[2:], b"\r", b"--b"):
        with pytest.raises(MultiPartException):
            read(cut, size)

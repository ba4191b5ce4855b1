"""Reads JSON whole and JSON Lines record by record."""

from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from modulo.adapters.decoding import decode, read_whole
from modulo.adapters.json_values import Json, Writer, json_value
from modulo.adapters.opened import OpenedDocument
from modulo.domain.document import Page
from modulo.domain.errors import CorruptFile, EmptyFile, OversizedFile
from modulo.domain.file import DocumentInfo

MAX_BYTES = 16 * 1024**2  # its values take ten times as much
MAX_LINE = 4 * 1024**2
LINES_A_PAGE = 500
_STEP = 1024**2
_MARK = b"\xef\xbb\xbf"


class JsonParser:
    """A reader of JSON."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Read it; a file of several values, a line each, is read as JSON Lines.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        text = decode(read_whole(content, MAX_BYTES))
        if not text.strip():
            raise EmptyFile
        try:
            value = json_value(text)
        except CorruptFile:
            if not _is_lines(text):
                raise
            return JsonLinesParser().parse(content)
        return OpenedDocument(_info(value), lambda: iter([Page(1, tuple(Writer().blocks(value)))]))


class JsonLinesParser:
    """A reader of JSON Lines."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a document; its content must stay open until the last page has been read.

        A page is `LINES_A_PAGE` lines, of which the memory holds no more.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        return OpenedDocument(DocumentInfo(), lambda: _pages(content))


def _info(value: Json) -> DocumentInfo:
    """A record's own title, where it stands for the document."""
    title = value.get("title") if isinstance(value, dict) else None
    return DocumentInfo(title=title if isinstance(title, str) else None)


def _is_lines(text: str) -> bool:
    """Whether the first two lines that are not blank hold an object each."""
    lines = [line.strip() for line in islice((line for line in text.splitlines() if line.strip()), 2)]
    return len(lines) == 2 and all(line.startswith("{") and line.endswith("}") for line in lines)


def _pages(content: BinaryIO) -> Iterator[Page]:
    lines = enumerate(_lines(content), 1)
    number = 0
    while step := list(islice(lines, LINES_A_PAGE)):
        number += 1
        writer = Writer()
        yield Page(number, tuple(block for line in step for block in writer.record(_value(*line))))


def _value(number: int, line: bytes) -> Json:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise CorruptFile(f"Line {number} is not in UTF-8, as JSON Lines must be.") from error
    if not text.strip():
        return None
    try:
        return json_value(text)
    except CorruptFile as error:
        raise CorruptFile(f"Line {number} cannot be read: {error.detail}") from error


def _lines(content: BinaryIO) -> Iterator[bytes]:
    content.seek(0)
    rest = content.read(_STEP).removeprefix(_MARK)
    while True:
        *lines, rest = rest.split(b"\n")
        yield from lines
        if len(rest) > MAX_LINE:
            raise OversizedFile(f"A line may have at most {MAX_LINE} bytes.")
        step = content.read(_STEP)
        if not step:
            break
        rest += step
    if rest:
        yield rest

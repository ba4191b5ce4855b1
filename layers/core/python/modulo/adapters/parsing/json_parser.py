"""Reads JSON as a whole, and JSON Lines record by record."""

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import BinaryIO

from modulo.adapters.parsing.json_values import Json, JsonBlockWriter, parse_json
from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.text_decoding import clean, decode, is_divisible, read_whole
from modulo.adapters.parsing.text_encoding import encoding_of
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, EmptyFile, OversizedFile
from modulo.domain.files.file import DocumentInfo

MAX_BYTES = 16 * 1024**2  # parsed, they take ten times as much memory
MAX_LINE_BYTES = 4 * 1024**2
LINES_PER_PAGE = 500
_CHUNK_BYTES = 1024**2
_COMMENT = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*+(?:"|\Z))|//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)""", re.DOTALL
)
_LAST_COMMA = re.compile(r"""(?P<string>"(?:[^"\\]|\\.)*+(?:"|\Z))|,(?=\s*+[}\]])""", re.DOTALL)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class JsonParser:
    """A parser of JSON."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file; one with an object on each line is read as JSON Lines.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        text = decode(read_whole(content, MAX_BYTES))
        if not text.strip():
            raise EmptyFile
        try:
            value = parse_json(text)
        except CorruptFile:
            if _is_lines(text):
                return JsonLinesParser().parse(content)
            plain = _without_comments(text)
            if plain == text:
                raise
            value = parse_json(plain)
        return OpenedDocument(_info(value), lambda: iter([Page(1, tuple(JsonBlockWriter().blocks(value)))]))


class JsonLinesParser:
    """A parser of JSON Lines."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file, which must stay open until the last page has been read.

        A page has `LINES_PER_PAGE` lines; only one page is held in memory. A line that is no JSON is kept as text.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        return OpenedDocument(DocumentInfo(), lambda: _pages(content))


def _info(value: Json) -> DocumentInfo:
    """The title, if the value is an object that has one."""
    title = value.get("title") if isinstance(value, dict) else None
    return DocumentInfo(title=title if isinstance(title, str) else None)


def _without_comments(text: str) -> str:
    """The text without comments and without commas behind last members; what stands in strings stays."""
    for pattern in (_COMMENT, _LAST_COMMA):
        text = pattern.sub(lambda found: found["string"] or "", text)
    return text


def _is_lines(text: str) -> bool:
    """Whether the first two lines that are not blank hold an object each."""
    lines = [line.strip() for line in islice((line for line in text.splitlines() if line.strip()), 2)]
    return len(lines) == 2 and all(line.startswith("{") and line.endswith("}") for line in lines)


def _pages(content: BinaryIO) -> Iterator[Page]:
    content.seek(0)
    encoding = encoding_of(content.read(_CHUNK_BYTES))
    if not is_divisible(encoding):
        content, encoding = BytesIO(decode(read_whole(content)).encode()), "utf-8"
    lines = enumerate(_lines(content), 1)
    number = good = bad = 0
    first: CorruptFile | None = None
    while batch := list(islice(lines, LINES_PER_PAGE)):
        number += 1
        writer = JsonBlockWriter()
        blocks: list[Block] = []
        for at, line in batch:
            text = line.decode(encoding, "replace")
            try:
                blocks += writer.record(parse_json(text) if text.strip() else None)
                good += 1
            except CorruptFile as error:
                bad += 1
                first = first or CorruptFile(f"Line {at} cannot be read: {error.detail}")
                blocks.append(Block(BlockKind.text, f"Line {at} is no valid JSON: {clean(text).strip()}"))
        if first and bad > good:
            raise first
        yield Page(number, tuple(blocks))


def _lines(content: BinaryIO) -> Iterator[bytes]:
    content.seek(0)
    rest = content.read(_CHUNK_BYTES).removeprefix(_BYTE_ORDER_MARK)
    while True:
        *lines, rest = rest.split(b"\n")
        yield from lines
        if len(rest) > MAX_LINE_BYTES:
            raise OversizedFile(f"A line may have at most {MAX_LINE_BYTES} bytes.")
        chunk = content.read(_CHUNK_BYTES)
        if not chunk:
            break
        rest += chunk
    if rest:
        yield rest

"""Reads plain text: paragraphs are separated by blank lines; a long file is read in parts of whole lines."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import BinaryIO

from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.text_decoding import clean, decode_as, is_divisible, read_whole
from modulo.adapters.parsing.text_encoding import encoding_of
from modulo.domain.documents.document import Block, BlockKind, Extent, Page, Part
from modulo.domain.files.file import DocumentInfo

_SAMPLE_BYTES = 1024**2
_MAX_LINE_BYTES = 1024**2
_BLANK = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")


class TextParser:
    """A parser of plain text."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        size = content.seek(0, 2)
        encoding = _encoding(content)
        return OpenedDocument(
            DocumentInfo(),
            lambda: iter([_page(1, read_whole(content), encoding)]),
            extent=Extent("bytes", size) if is_divisible(encoding) else None,
            read_part=lambda part: iter([_page(part.number + 1, _read(content, part, size), encoding)]),
        )


def _encoding(content: BinaryIO) -> str:
    """The encoding of the whole, told by its beginning and its first lines beyond ASCII, so that all parts share it."""
    content.seek(0)
    head = content.read(_SAMPLE_BYTES)
    sample = head
    while len(sample) == _SAMPLE_BYTES and sample.isascii():
        sample = content.read(_SAMPLE_BYTES)
    if len(sample) == _SAMPLE_BYTES:  # it ends within a line, and perhaps within a character
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    return encoding_of(head if sample.isascii() else sample)


def _page(number: int, found: bytes, encoding: str) -> Page:
    return Page(number, tuple(paragraphs(clean(decode_as(found, encoding)))))


def _read(content: BinaryIO, part: Part, size: int) -> bytes:
    start, end = (_line_start(content, offset, size) for offset in (part.first, part.end))
    content.seek(start)
    return content.read(end - start)


def _line_start(content: BinaryIO, offset: int, size: int) -> int:
    """The offset of the next line; of the next character, where the line is longer than `_MAX_LINE_BYTES`."""
    if offset in (0, size):
        return offset
    content.seek(offset - 1)
    line = content.readline(_MAX_LINE_BYTES)
    if line.endswith(b"\n") or len(line) < _MAX_LINE_BYTES:
        return offset - 1 + len(line)
    continued = takewhile(lambda byte: byte & 0xC0 == 0x80, line[1:4])  # continuation bytes of UTF-8
    return min(size, offset + sum(1 for _ in continued))


def paragraphs(text: str) -> Iterator[Block]:
    """The paragraphs of cleaned text."""
    for part in _BLANK.split(text):
        if paragraph := part.strip("\n").rstrip():
            yield Block(BlockKind.text, paragraph)

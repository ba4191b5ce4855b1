"""Reads plain text: paragraphs between blank lines; a long file in parts that begin with a line."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import BinaryIO

from modulo.adapters.decoding import clean, decode, is_divisible, read_whole
from modulo.adapters.opened import OpenedDocument
from modulo.domain.document import Block, BlockKind, Extent, Page, Part
from modulo.domain.file import DocumentInfo

_HEAD = 64 * 1024
_LONGEST_LINE = 1024**2
_BLANK = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")


class TextParser:
    """A reader of plain text."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Read it.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        size = content.seek(0, 2)
        content.seek(0)
        divisible = is_divisible(content.read(_HEAD))
        return OpenedDocument(
            DocumentInfo(),
            lambda: iter([_page(1, read_whole(content))]),
            extent=Extent("bytes", size) if divisible else None,
            read_part=lambda part: iter([_page(part.number + 1, _read(content, part, size))]),
        )


def _page(number: int, found: bytes) -> Page:
    return Page(number, tuple(paragraphs(clean(decode(found)))))


def _read(content: BinaryIO, part: Part, size: int) -> bytes:
    start, end = (_boundary(content, place, size) for place in (part.first, part.end))
    content.seek(start)
    return content.read(end - start)


def _boundary(content: BinaryIO, place: int, size: int) -> int:
    """Where the next line begins; the next character, where the line is too long to be looked through."""
    if place in (0, size):
        return place
    content.seek(place - 1)
    line = content.readline(_LONGEST_LINE)
    if line.endswith(b"\n") or len(line) < _LONGEST_LINE:
        return place - 1 + len(line)
    continued = takewhile(lambda byte: byte & 0xC0 == 0x80, line[1:4])  # bytes inside a character of UTF-8
    return min(size, place + sum(1 for _ in continued))


def paragraphs(text: str) -> Iterator[Block]:
    """The paragraphs of cleaned text."""
    for part in _BLANK.split(text):
        if paragraph := part.strip("\n").rstrip():
            yield Block(BlockKind.text, paragraph)

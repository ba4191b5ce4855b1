"""Reads plain text: paragraphs between blank lines."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from modulo.adapters.decoding import clean, decode, read_whole
from modulo.adapters.opened import OpenedDocument
from modulo.domain.document import Block, BlockKind, Page
from modulo.domain.file import DocumentInfo

_BLANK = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")


class TextParser:
    """A reader of plain text."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Read it.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        text = clean(decode(read_whole(content)))
        return OpenedDocument(DocumentInfo(), lambda: iter([Page(1, tuple(paragraphs(text)))]))


def paragraphs(text: str) -> Iterator[Block]:
    """The paragraphs of cleaned text."""
    for part in _BLANK.split(text):
        if paragraph := part.strip("\n").rstrip():
            yield Block(BlockKind.text, paragraph)

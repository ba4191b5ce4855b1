"""What a process that parses and the one that asks it say to each other: JSON, which harms nobody who reads it.

Each message is a list behind its length in four bytes; the first element of an answer is an `Answer`. Behind a page
that has a picture come its pixels as they are: on one machine packing would cost more than it saves.
"""

import json
import struct
from enum import StrEnum
from typing import Any

from modulo.domain.document import Block, BlockKind, Extent, Page, Part, Picture
from modulo.domain.file import DocumentInfo

HEADER = struct.Struct(">I")
ENDING = struct.Struct(">iq")
"""How a process ended: its exit code, or its signal below zero; and the most memory it had, in bytes."""


class Answer(StrEnum):
    """What the parsing process says."""

    opened = "opened"
    page = "page"
    end = "end"
    rejected = "rejected"
    memory = "memory"
    failed = "failed"


def packed(message: list[Any]) -> bytes:
    """A message with its length, which is counted in bytes."""
    # Texts are clean, but what a file says of itself may hold half a character.
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return HEADER.pack(len(body)) + body


def unpacked(body: bytes | bytearray) -> list[Any]:
    """A message without its length.

    Raises:
        ValueError: it is none.
    """
    message = json.loads(body.decode("utf-8", "surrogatepass"))
    if not isinstance(message, list):
        raise ValueError("a message is a list")
    return message


def opened(info: DocumentInfo, extent: Extent | None) -> list[Any]:
    """The answer that a document could be opened."""
    return [Answer.opened, info.model_dump(mode="json"), [extent.unit, extent.length] if extent else None]


def extent_of(said: Any) -> Extent | None:
    """The extent in such an answer."""
    return Extent(*said) if said else None


def page(of: Page) -> list[Any]:
    """The answer that holds a page; the pixels of its picture follow."""
    size = [of.picture.width, of.picture.height] if of.picture else None
    return [Answer.page, of.number, of.scanned, [(block.kind, block.text, block.level) for block in of.blocks], size]


def page_of(number: int, scanned: bool, blocks: list[tuple[str, str, int]], picture: Picture | None) -> Page:
    """The page in such an answer, with the picture that followed."""
    found = tuple(Block(_KINDS[kind], text, level) for kind, text, level in blocks)
    return Page(number, found, scanned, picture=picture)


def size_of(said: Any, at_most: int) -> tuple[int, int] | None:
    """Width and height of the picture that follows such an answer, if one does.

    Raises:
        ValueError: it has more than `at_most` pixels, or these are no numbers.
    """
    match said:
        case None:
            return None
        case [int(width), int(height)] if width > 0 and height > 0 and width * height <= at_most:
            return width, height
    raise ValueError("no picture that was asked for")


def asked(part: Part | None) -> list[Any]:
    """The request for all pages, or for those of a part."""
    return [part.number, part.first, part.end] if part else []


def part_of(request: list[Any]) -> Part | None:
    """The part in such a request."""
    return Part(*request) if request else None


_KINDS = {kind.value: kind for kind in BlockKind}

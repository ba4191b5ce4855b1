"""The messages between a forked parser and its client.

Each message is a JSON list behind a four-byte length. JSON, not pickle: a parser that a file has taken over must not
be able to run code in the reader. The first element of an answer is its `MessageKind`. The pixels of a page's picture
follow their page as raw bytes; compressing them would cost more than it saves on one machine.
"""

from __future__ import annotations

import json
import struct
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from modulo.domain.documents.document import Block, BlockKind, Extent, Page, Part, Picture
from modulo.domain.documents.placement import PlacedLine

if TYPE_CHECKING:
    from modulo.domain.files.file import DocumentInfo

LENGTH = struct.Struct(">I")
"""The prefix of a message: the length of its body in bytes."""
EXIT_STATUS = struct.Struct(">iq")
"""How a process ended: its exit code, or minus its signal; and its peak memory (resident) in bytes."""
_MAX_PLACE = 2**31
"""The largest number in a line: an offset into a text."""
_BLOCK_KINDS = {kind.value: kind for kind in BlockKind}


class MessageKind(StrEnum):
    """What an answer of the forked parser means."""

    opened = "opened"
    page = "page"
    end = "end"
    rejected = "rejected"
    out_of_memory = "out_of_memory"
    failed = "failed"


def encode(message: list[Any]) -> bytes:
    """The message as JSON behind its length."""
    # Text of pages is clean, but a document's properties may hold lone surrogates.
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return LENGTH.pack(len(body)) + body


def decode(body: bytes | bytearray) -> list[Any]:
    """The message in a body without its length.

    Raises:
        ValueError: it is not a JSON list.
    """
    message = json.loads(body.decode("utf-8", "surrogatepass"))
    if not isinstance(message, list):
        raise ValueError("a message is a list")
    return message


def opened_message(info: DocumentInfo, extent: Extent | None) -> list[Any]:
    """The answer that a document was opened."""
    fields = [extent.unit, extent.length] if extent else None
    return [MessageKind.opened, info.model_dump(mode="json"), fields]


def extent_from(fields: Any) -> Extent | None:
    """The extent in an `opened` answer."""
    return Extent(*fields) if fields else None


def page_message(page: Page) -> list[Any]:
    """The answer with a page; the pixels of its picture, if any, are sent after it."""
    size = [page.picture.width, page.picture.height] if page.picture else None
    blocks = [(block.kind, block.text, block.level, block.header_rows, block.lines) for block in page.blocks]
    return [MessageKind.page, page.number, page.scanned, blocks, size, page.unmapped, page.unread_fields]


def page_from(number: int, scanned: bool, blocks: Any, reading: list[Any], picture: Picture | None) -> Page:
    """The page in a `page` answer, with the picture that followed it; `reading` has its last two fields."""
    unmapped, unread_fields = reading
    found = tuple(
        Block(_BLOCK_KINDS[kind], text, level, header_rows, tuple(map(_line_from, lines)))
        for kind, text, level, header_rows, lines in blocks
    )
    return Page(number, found, scanned, picture=picture, unmapped=float(unmapped), unread_fields=int(unread_fields))


def _line_from(fields: list[Any]) -> PlacedLine:
    """The line in a `page` answer.

    Raises:
        ValueError: these are no places.
    """
    start, turn, top, bottom, left, steps = fields
    numbers = (start, turn, top, bottom, left, *steps)
    if set(map(type, numbers)) != {int} or min(numbers) < 0 or max(numbers) > _MAX_PLACE or turn > 3 or bottom < top:
        raise ValueError("not a line of a page")
    if not steps or len(steps) % 2 or 0 in steps[::2]:
        raise ValueError("not the words of a line")
    return PlacedLine(start, turn, top, bottom, left, tuple(steps))


def picture_size_from(fields: Any, max_pixels: int) -> tuple[int, int] | None:
    """Width and height of the picture that follows a `page` answer; None where none does.

    Raises:
        ValueError: these are no sizes, or more than `max_pixels`.
    """
    match fields:
        case None:
            return None
        case [int(width), int(height)] if width > 0 and height > 0 and width * height <= max_pixels:
            return width, height
    raise ValueError("a picture that was not requested")


def pages_request(part: Part | None) -> list[Any]:
    """The request for all pages, or for those of a part."""
    return [part.number, part.first, part.end] if part else []


def part_from(request: list[Any]) -> Part | None:
    """The part in a request for pages; None for all."""
    return Part(*request) if request else None

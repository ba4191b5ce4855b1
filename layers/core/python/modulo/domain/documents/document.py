"""What parsers yield: documents as pages of blocks, and the parts of large ones."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Literal

from modulo.domain.documents.placement import PlacedLine

MAX_PIXELS = 9_000_000
"""Largest picture; A4 at 300 dpi has 8.7 million pixels."""


class BlockKind(StrEnum):
    """The kind of a block; the chunker keeps tables whole and carries headings along."""

    heading = "heading"
    text = "text"
    table = "table"


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text with one meaning.

    `level` is a heading's depth from 1. A table's text holds one row a line, cells joined by
    `table_rows.CELL`, its `header_rows` first. `lines` are where its text stands on the page, as far as that is known.
    """

    kind: BlockKind
    text: str
    level: int = 0
    header_rows: int = 1
    lines: tuple[PlacedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """How a page looks: shades of gray, a byte a pixel, row by row from the top; at most `MAX_PIXELS`."""

    width: int
    height: int
    pixels: bytes | bytearray


@dataclass(frozen=True, slots=True)
class Page:
    """One page, sheet, slide or, for formats that have none of these, the whole document.

    `number` counts from 1. `scanned` says that it is a picture without text; a parser that was asked to
    adds the `picture`. `recognised` says that its text was read from the picture, and may be misread. `unmapped` is
    the share of its glyphs whose font does not say which characters they are; `unread_fields` counts form fields.
    """

    number: int
    blocks: tuple[Block, ...]
    scanned: bool = False
    recognised: bool = False
    picture: Picture | None = None
    unmapped: float = 0.0
    unread_fields: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A range of a document's units that is ingested by itself: from `first` up to `end`, both counted from 0."""

    number: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Extent:
    """The unit by which a document can be divided, and how many it has."""

    unit: Literal["pages", "bytes"]
    length: int

    def parts(self, at_most: int) -> tuple[Part, ...]:
        """As few parts as possible, alike in size, none longer than `at_most`."""
        wanted = max(1, -(-self.length // at_most))
        ends = [self.length * number // wanted for number in range(wanted + 1)]
        return tuple(Part(*stretch) for stretch in zip(count(), ends, ends[1:], strict=False))

"""What a parser yields: a document as pages of blocks."""

from dataclasses import dataclass
from enum import StrEnum


class BlockKind(StrEnum):
    """What a block of text is; the chunker keeps tables whole and carries headings along."""

    heading = "heading"
    text = "text"
    table = "table"


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text with one meaning.

    `level` is a heading's depth from 1. A table's text holds one row a line, cells joined by
    " | ", its header row first.
    """

    kind: BlockKind
    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One page, sheet, slide or, for formats that have none of these, the whole document.

    `number` counts from 1; `scanned` says that it is a picture without text.
    """

    number: int
    blocks: tuple[Block, ...]
    scanned: bool = False

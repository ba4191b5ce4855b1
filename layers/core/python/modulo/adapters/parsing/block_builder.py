"""Builds a document's blocks in order; each list becomes one block."""

from dataclasses import dataclass, field

from modulo.adapters.parsing.numerals import numeral
from modulo.domain.documents.document import Block, BlockKind

_MAX_INDENT = 8  # levels of nested lists


@dataclass(slots=True)
class OpenList:
    """A list whose items are being read: the number of its next item, None if bulleted, and how numbers are written."""

    number: int | None
    style: str = "1"
    step: int = 1


@dataclass(slots=True)
class BlockBuilder:
    """Collects blocks; the items of a list are kept until the list ends."""

    blocks: list[Block] = field(default_factory=list)
    _items: list[str] = field(default_factory=list)
    _lists: list[OpenList] = field(default_factory=list)
    _marker: str = ""

    def add(self, *blocks: Block) -> None:
        """Append blocks."""
        self.flush()
        self.blocks += blocks

    def flush(self) -> None:
        """Append the items kept so far as one block."""
        if self._items:
            self.blocks.append(Block(BlockKind.text, "\n".join(self._items)))
            self._items = []

    def add_heading(self, text: str, level: int) -> None:
        """Append a heading, unless it is empty."""
        if text:
            self.add(Block(BlockKind.heading, text, level))

    def add_text(self, text: str) -> None:
        """Append a paragraph; inside a list, text of the current item."""
        if not text.strip():
            return
        if self._lists:
            self._items.append(self._marker + text)
            self._marker = " " * len(self._marker)
        else:
            self.add(Block(BlockKind.text, text))

    def open_list(self, first: int | None, style: str = "1", step: int = 1) -> None:
        """Start a list; `first` is the number of its first item, None for bullets; `numeral` names the styles."""
        self._lists.append(OpenList(first, style, step))

    def start_item(self, number: int | None = None) -> None:
        """Start an item of the innermost list, which has a `number` of its own or the next one."""
        indent = "  " * (min(len(self._lists), _MAX_INDENT) - 1)
        current = self._lists[-1] if self._lists else OpenList(None)
        if current.number is None:
            self._marker = f"{indent}- "
            return
        current.number = current.number if number is None else number
        self._marker = f"{indent}{numeral(current.number, current.style)}. "
        current.number += current.step

    def close_list(self) -> None:
        """End the innermost list."""
        if self._lists:
            self._lists.pop()
        if not self._lists:
            self.flush()

"""Blocks in the order of a document whose lists make one block each."""

from dataclasses import dataclass, field

from modulo.domain.document import Block, BlockKind

_DEEPEST = 8


@dataclass(slots=True)
class Flow:
    """Collects blocks; the items of a list wait until it ends."""

    blocks: list[Block] = field(default_factory=list)
    _items: list[str] = field(default_factory=list)
    _lists: list[int | None] = field(default_factory=list)  # the next number, where items have numbers
    _marker: str = ""

    def add(self, *blocks: Block) -> None:
        """Further blocks behind what has been written."""
        if self._items:
            self.blocks.append(Block(BlockKind.text, "\n".join(self._items)))
            self._items = []
        self.blocks += blocks

    def heading(self, text: str, level: int) -> None:
        """A heading."""
        if text:
            self.add(Block(BlockKind.heading, text, level))

    def text(self, text: str) -> None:
        """A paragraph, or what an item says."""
        if not text.strip():
            return
        if self._lists:
            self._items.append(self._marker + text)
            self._marker = " " * len(self._marker)
        else:
            self.add(Block(BlockKind.text, text))

    def open_list(self, first: int | None) -> None:
        """A list starts, with the number of its first item if it has numbers."""
        self._lists.append(first)

    def item(self) -> None:
        """An item starts."""
        indent = "  " * (min(len(self._lists), _DEEPEST) - 1)
        number = self._lists[-1] if self._lists else None
        self._marker = f"{indent}- " if number is None else f"{indent}{number}. "
        if number is not None:
            self._lists[-1] = number + 1

    def close_list(self) -> None:
        """A list ends."""
        if self._lists:
            self._lists.pop()
        if not self._lists:
            self.add()

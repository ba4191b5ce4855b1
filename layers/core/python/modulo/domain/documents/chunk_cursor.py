"""Cursors of chunks, apart from the models: every function imports the form of cursors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from modulo.domain.pagination import matched_cursor

CHUNK_CURSOR_PATTERN: Final = "^([0-9]{1,9})-([0-9]{1,9})-([0-9]{1,9})$"
"""Every text of this form is a cursor: a generation, a chunk's number, and how many chunks came before."""
_CURSOR: Final = re.compile(CHUNK_CURSOR_PATTERN)


@dataclass(frozen=True, slots=True)
class ChunkCursor:
    """Where a page of chunks begins: in a generation, at a chunk number, after so many chunks."""

    generation: int
    number: int = 0
    seen: int = 0

    def encode(self) -> str:
        """The opaque text for clients."""
        return f"{self.generation}-{self.number}-{self.seen}"

    @classmethod
    def decode(cls, text: str) -> ChunkCursor:
        """The cursor of a client's text.

        Raises:
            InvalidRequest: it is no such text.
        """
        return cls(*map(int, matched_cursor(_CURSOR, text).groups()))

"""The chunks of a file as its readers see them, and the cursor of their listing."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import Field

from modulo.domain.chunk import Chunk
from modulo.domain.citable_url import URL_DESCRIPTION, passage_url
from modulo.domain.errors import InvalidRequest
from modulo.domain.file import FileRef
from modulo.domain.model import FrozenModel

CHUNK_CURSOR_PATTERN: Final = "^([0-9]{1,9})-([0-9]{1,9})-([0-9]{1,9})$"
"""Every text of this form is a cursor: a generation, a chunk's number, and how many chunks came before."""
_CURSOR = re.compile(CHUNK_CURSOR_PATTERN)


class FileChunk(FrozenModel):
    """A chunk of a file's live generation."""

    chunk_id: UUID = Field(description="the same as in results of searches")
    chunk_number: int = Field(description="in the document's order; numbers may be left out")
    text: str
    page_number: int
    heading: str = Field(description="the headings above it, ' > ' between them")
    start_index: int = Field(description="of its characters in the text of the page")
    end_index: int
    table_index: int | None = Field(default=None, description="of the page's table that it is part of, from 0")
    url: str = Field(description=URL_DESCRIPTION)

    @classmethod
    def of(cls, ref: FileRef, chunk: Chunk) -> "FileChunk":
        """The chunk of a generation."""
        return cls(
            chunk_id=chunk.id_in(ref),
            chunk_number=chunk.number,
            text=chunk.text,
            page_number=chunk.page,
            heading=chunk.heading,
            start_index=chunk.start,
            end_index=chunk.end,
            table_index=chunk.table,
            url=passage_url(ref.collection_id, ref.file_id, page=chunk.page, start=chunk.start, end=chunk.end),
        )


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
    def decode(cls, text: str) -> "ChunkCursor":
        """The cursor of a client's text.

        Raises:
            InvalidRequest: it is no such text.
        """
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise InvalidRequest.field("after", "is not a cursor that a listing returned")
        return cls(*map(int, found.groups()))

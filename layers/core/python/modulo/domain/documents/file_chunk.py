"""The chunks of a file as its readers see them."""

from uuid import UUID

from pydantic import Field

from modulo.domain.citable_url import URL_DESCRIPTION, passage_url
from modulo.domain.documents.chunk import Chunk
from modulo.domain.files.file import FileRef
from modulo.domain.model import FrozenModel


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

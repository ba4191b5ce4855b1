"""Passages: chunks that a search found, with the document they come from."""

from dataclasses import dataclass, replace
from uuid import UUID

from modulo.domain.chunk import Chunk
from modulo.domain.file import DocumentInfo, FileRef
from modulo.domain.sentences import sentences


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk as the vector store found it; `score` is from 0 to 1, higher is nearer; `source` is the file's name."""

    ref: FileRef
    chunk: Chunk
    score: float
    source: str


@dataclass(frozen=True, slots=True)
class LiveDocument:
    """The generation of a file that searches may see."""

    file_id: UUID
    generation: int
    name: str
    chunk_count: int
    info: DocumentInfo
    created_at: str
    url: str | None = None
    """Where it was fetched, where it was."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit whose document is live; `reranked` is the reranker's score from 0 to 1 where it ran."""

    hit: Hit
    document: LiveDocument
    reranked: float | None = None

    @property
    def chunk_id(self) -> UUID:
        """The chunk's id."""
        return self.hit.chunk.id_in(self.hit.ref)

    @property
    def text(self) -> str:
        """The chunk's text."""
        return self.hit.chunk.text

    @property
    def reading(self) -> str:
        """The text as models read it best: below its headings, a table's cells behind their columns' names."""
        chunk = self.hit.chunk
        if chunk.table is None:
            return chunk.embedded_text
        rows = "\n".join(row.spelled_out for row in sentences(chunk.text) if row.header) or chunk.text
        return f"{chunk.heading}\n{rows}" if chunk.heading else rows

    @property
    def score(self) -> float:
        """The best knowledge of its relevance, from 0 to 1."""
        return self.hit.score if self.reranked is None else self.reranked

    def with_rerank(self, score: float) -> "Passage":
        """The same passage with the reranker's score."""
        return replace(self, reranked=score)

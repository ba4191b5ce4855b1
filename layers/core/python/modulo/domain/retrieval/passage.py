"""Hits of a search, and passages: hits with their live document."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from modulo.domain.citable_url import document_url, passage_url
from modulo.domain.documents.chunk import Chunk
from modulo.domain.documents.placement import PageBox
from modulo.domain.files.attributes import AttributeValue
from modulo.domain.files.file import DocumentInfo, FileRef


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk as the vector store found it; `source` is the file's name."""

    ref: FileRef
    chunk: Chunk
    score: float
    """From 0 to 1: the similarity of the vectors; of a search by words alone, its saturated BM25 score."""
    source: str
    text_score: float | None = None
    """The BM25 score, at least 0; None where the search by words did not find it."""
    fused: float = 0.0
    """What hits are ordered by: around 0, comparable within one search only."""


@dataclass(frozen=True, slots=True)
class LiveDocument:
    """The live generation of a file: the one that searches see."""

    file_id: UUID
    generation: int
    name: str
    chunk_count: int
    info: DocumentInfo
    created_at: str
    url: str | None = None
    """Where it was fetched from, if it was."""
    origin_id: UUID | None = None
    """The user file that it is a copy of, if it is one."""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    met: tuple[bool, ...] = ()
    """Whether it meets each of the conditions on documents that were asked."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit whose document is live.

    `reranked` is the reranker's score from 0 to 1 where it read the passage. Where it read any, `relevance` is the
    score, also from 0 to 1, that both stages and the question's rare words give.
    """

    hit: Hit
    document: LiveDocument
    reranked: float | None = None
    relevance: float | None = None
    neighbors: tuple["Passage", ...] = ()
    """Chunks beside it that joined it, in the document's order; their scores are its own."""

    @property
    def chunk_id(self) -> UUID:
        """The chunk's id."""
        return self.hit.chunk.id_in(self.hit.ref)

    @property
    def text(self) -> str:
        """The chunk's text."""
        return self.hit.chunk.text

    @property
    def score(self) -> float:
        """Relevance from 0 to 1: both stages' where the reranker ran, else the retrieval's."""
        return self.hit.score if self.relevance is None else self.relevance

    @property
    def document_url(self) -> str:
        """The URL by which its document is cited."""
        return document_url(self.hit.ref.collection_id, self.document.file_id)

    def url_of(self, start: int, end: int) -> str:
        """The URL by which these characters of its page are cited."""
        ref, page = self.hit.ref, self.hit.chunk.page
        return passage_url(ref.collection_id, self.document.file_id, page=page, start=start, end=end)

    def boxes_of(self, start: int, end: int) -> tuple[PageBox, ...]:
        """Where these characters of its page stand on it; none where that is not known."""
        return self.hit.chunk.boxes(start, end)

    def with_rerank(self, score: float | None, relevance: float) -> "Passage":
        """The same passage with the reranker's score, if it read it, and both stages' together."""
        return replace(self, reranked=score, relevance=relevance)

"""Passages for tests that need only their texts."""

from uuid import UUID, uuid5

from modulo.domain.documents.chunk import Chunk
from modulo.domain.files.file import DocumentInfo, FileRef
from modulo.domain.retrieval.passage import Hit, LiveDocument, Passage


def passage(
    text: str,
    *,
    name: str = "notes.txt",
    title: str | None = None,
    heading: str = "",
    page: int = 1,
    table: int | None = None,
    score: float = 0.5,
    reranked: float | None = None,
) -> Passage:
    """A passage of a document of its own."""
    file = uuid5(UUID(int=0), f"{name}\n{text}")
    chunk = Chunk(number=0, text=text, page=page, start=0, end=len(text), heading=heading, table=table)
    document = LiveDocument(file, 1, name, 1, DocumentInfo(title=title), "2026-01-01T00:00:00+00:00")
    return Passage(
        Hit(FileRef(UUID(int=1), UUID(int=2), file, 1), chunk, score, name, fused=score), document, reranked, reranked
    )

"""Passages and citations in the field names that clients know."""

from collections.abc import Sequence

from modulo.domain.answer import Cited
from modulo.domain.passage import Passage
from modulo.domain.search import ChunkMetadata, Citation, FoundChunk, FoundDocument, QueryResult


def query_result(passage: Passage) -> QueryResult:
    """A passage; the chunk's score is the retrieval's, the outer one the reranker's where it ran."""
    chunk = passage.hit.chunk
    found = FoundChunk(
        chunk_id=passage.chunk_id,
        text=chunk.text,
        document_id=passage.document.file_id,
        metadata=ChunkMetadata(
            source=passage.document.name,
            page_number=chunk.page,
            chunk_number=chunk.number,
            start_index=chunk.start,
            end_index=chunk.end,
            table_index=chunk.table,
            created_at=passage.document.created_at,
            author=passage.document.info.author,
        ),
        score=passage.hit.score,
    )
    return QueryResult(chunk=found, score=passage.score)


def documents(passages: Sequence[Passage]) -> tuple[FoundDocument, ...]:
    """The documents of the passages, each once, in the passages' order."""
    found = {passage.document.file_id: passage.document for passage in passages}
    return tuple(
        FoundDocument(
            document_id=document.file_id,
            document_name=document.name,
            total_chunks=document.chunk_count,
            **document.info.model_dump(),
        )
        for document in found.values()
    )


def citation(cited: Cited) -> Citation:
    """A citation under the field names that clients know."""
    document = cited.passage.document
    return Citation(
        mark=cited.mark,
        document_id=document.file_id,
        title=document.info.title or document.name,
        excerpt=cited.excerpt,
        page_number=cited.passage.hit.chunk.page,
        relevance_score=cited.passage.score,
        chunk_id=cited.passage.chunk_id,
    )

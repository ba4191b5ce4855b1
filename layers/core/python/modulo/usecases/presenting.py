"""Passages, citations and steps in the field names that clients know."""

from collections.abc import Iterable, Sequence

from modulo.domain.answer import Answer, Cited
from modulo.domain.passage import Passage
from modulo.domain.reasoning import Step
from modulo.domain.search import (
    ChunkMetadata,
    Citation,
    CotOutput,
    FoundChunk,
    FoundDocument,
    QueryResult,
    ReasoningStep,
    SourceSummary,
)


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
            url=passage.document.url,
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


def cot_output(question: str, steps: Sequence[Step], answer: Answer) -> CotOutput:
    """How the steps led to the answer."""
    confidences = [step.confidence for step in steps]
    known = [confidence for confidence in confidences if confidence is not None]
    cited = {number: _names(one.passage for one in step.answer.cited) for number, step in enumerate(steps, start=1)}
    return CotOutput(
        original_question=question,
        final_answer=answer.text,
        reasoning_steps=tuple(_reasoning_step(number, step) for number, step in enumerate(steps, start=1)),
        source_summary=SourceSummary(
            all_sources=_names(passage for step in steps for passage in step.passages),
            primary_sources=_names(one.passage for one in answer.cited),
            source_usage_by_step=cited,
        ),
        total_confidence=min(known) if len(known) == len(confidences) else None,
        token_usage=sum(step.tokens for step in steps),
        total_execution_time=sum(step.seconds for step in steps),
    )


def _reasoning_step(number: int, step: Step) -> ReasoningStep:
    return ReasoningStep(
        step_number=number,
        question=step.question,
        context_used=tuple(cited.passage.text for cited in step.answer.cited),
        source_attributions=tuple(citation(cited) for cited in step.answer.cited),
        intermediate_answer=step.answer.text,
        confidence_score=step.confidence,
        reasoning_trace=f"{len(step.passages)} passages found, {len(step.answer.cited)} cited",
        execution_time=step.seconds,
        token_usage=step.tokens,
    )


def _names(passages: Iterable[Passage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(passage.document.name for passage in passages))

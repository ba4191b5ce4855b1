"""The response of a search, in the field names that clients know."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from modulo.domain.answers.answer import EXTRACTIVE
from modulo.domain.answers.outcome import Outcome
from modulo.domain.retrieval.suspicion import flags_of
from modulo.domain.search.reasoning import combine, telling_unanswered
from modulo.domain.search.search import (
    ChunkMetadata,
    FoundChunk,
    FoundDocument,
    QueryResult,
    SearchedCollection,
    SearchMetadata,
    SearchOutput,
)
from modulo.domain.search.search_neighbor import Neighbor
from modulo.usecases.search.citation import citations_of
from modulo.usecases.search.nearest import nearest
from modulo.usecases.search.told_reasoning import cot_output, structured_answer, token_warning, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.retrieval.passage import Passage
    from modulo.domain.retrieval.suspicion import Flag
    from modulo.domain.search.reasoning import Step
    from modulo.usecases.search.retrieval import Retrieved
    from modulo.usecases.search.run import SearchRun


def search_output(run: SearchRun, retrieved: Retrieved, steps: Sequence[Step], *, seconds: float) -> SearchOutput:
    """The steps as one response; without an answer where only passages were asked for."""
    plan = run.plan
    of_answer = steps[-1:] if plan.concludes and steps[-1].answer.found else steps
    passages, answer = combine(of_answer, threshold=run.threshold, form=run.form, language=run.language)
    if of_answer is not steps or not run.form.names_parts:
        answer = telling_unanswered(answer, plan, steps, threshold=run.threshold, language=run.language)
    searched = tuple(
        SearchedCollection(
            collection_id=grant.space.collection_id, version=grant.version, embedding_model=grant.space.model.name
        )
        for grant in retrieved.grants
    )
    only = searched[0] if len(searched) == 1 else None
    metadata = SearchMetadata(
        collections=searched,
        collection_version=only and only.version,
        embedding_model=only and only.embedding_model,
        reranked=any(passage.reranked is not None for passage in passages),
        degraded=tuple(sorted(run.degraded)),
        parts=tuple(step.question for step in steps) if len(steps) > 1 else (),
        complete=retrieved.complete,
        stage_seconds=run.seconds,
    )
    output = SearchOutput(
        documents=found_documents(passages),
        query_results=query_results(passages),
        execution_time=seconds,
        metadata=metadata,
    )
    for part in sorted(run.degraded):
        run.ports.metrics.count("rag_degraded_searches_total", part=part)
    for result in output.query_results:
        for flag in chain(result.flags, *(one.flags for one in result.neighbors)):
            run.ports.metrics.count("rag_suspicious_passages_total", flag=flag.value)
    config = run.request.config_metadata
    if config.retrieve_only:
        return output
    generator, tokens_used = run.generator or run.ports.generator.name, sum(step.tokens for step in steps)
    outcome = answer.outcome
    if run.cut_short and outcome is Outcome.not_found:
        outcome = Outcome.cut_short
    answered = {
        "generator": generator,
        "found": answer.found,
        "outcome": outcome,
        "cut_short": run.cut_short,
        "answer_kind": "extracts" if generator == EXTRACTIVE else "generated",
        "tokens_used": tokens_used,
    }
    answer = replace(answer, text=told(answer, outcome, run.language))
    return output.model_copy(
        update={
            "answer": answer.text,
            "citations": citations_of(answer),
            "nearest": () if answer.found else nearest(run.request.question, passages),
            "cot_output": cot_output(run, steps, answer) if run.tells_steps and len(steps) > 1 else None,
            "structured_answer": structured_answer(run, steps, answer) if config.structured_output_enabled else None,
            "token_warning": token_warning(steps),
            "metadata": metadata.model_copy(update=answered),
        }
    )


def cached_output(output: SearchOutput, run: SearchRun, *, seconds: float) -> SearchOutput:
    """A cached response, as that of this search."""
    metadata = output.metadata.model_copy(update={"cached": True, "stage_seconds": run.seconds})
    return output.model_copy(update={"metadata": metadata, "execution_time": seconds})


def query_results(passages: Sequence[Passage]) -> tuple[QueryResult, ...]:
    """The passages in their order."""
    return tuple(_query_result(passage) for passage in passages)


def _query_result(passage: Passage) -> QueryResult:
    """A passage; the chunk's score is the retrieval's, the outer one the reranker's where it ran."""
    chunk = passage.hit.chunk
    found = FoundChunk(
        chunk_id=passage.chunk_id,
        text=chunk.text,
        document_id=passage.document.file_id,
        url=passage.url_of(chunk.start, chunk.end),
        collection_id=passage.hit.ref.collection_id,
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
            attributes=passage.document.attributes,
        ),
        score=passage.hit.score,
        text_score=passage.hit.text_score,
        fused_score=passage.hit.fused,
    )
    neighbors = tuple(map(_neighbor, passage.neighbors))
    return QueryResult(chunk=found, score=passage.score, flags=_flags(passage), neighbors=neighbors)


def _neighbor(passage: Passage) -> Neighbor:
    """A neighbour of a passage."""
    chunk = passage.hit.chunk
    return Neighbor(
        chunk_id=passage.chunk_id,
        text=chunk.text,
        page_number=chunk.page,
        chunk_number=chunk.number,
        start_index=chunk.start,
        end_index=chunk.end,
        url=passage.url_of(chunk.start, chunk.end),
        flags=_flags(passage),
    )


def _flags(passage: Passage) -> tuple[Flag, ...]:
    """What in a passage speaks to a language model or hides from its reader."""
    document, chunk = passage.document, passage.hit.chunk
    return flags_of(chunk.text, "\n".join((document.name, document.info.title or "", chunk.heading or "")))


def found_documents(passages: Sequence[Passage]) -> tuple[FoundDocument, ...]:
    """The documents of the passages, each once, in the passages' order."""
    return tuple(map(_found_document, {passage.document.file_id: passage for passage in passages}.values()))


def _found_document(passage: Passage) -> FoundDocument:
    """The document of a passage."""
    document = passage.document
    return FoundDocument(
        document_id=document.file_id,
        collection_id=passage.hit.ref.collection_id,
        origin_id=document.origin_id,
        document_name=document.name,
        url=passage.document_url,
        total_chunks=document.chunk_count,
        attributes=document.attributes,
        **document.info.model_dump(),
    )

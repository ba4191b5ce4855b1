"""Answer a question from a collection, with checked citations."""

import logging
from collections.abc import Sequence
from time import perf_counter

from pydantic import TypeAdapter, ValidationError

from modulo.domain.errors import InvalidRequest
from modulo.domain.filters import Condition, parse_filters
from modulo.domain.identity import Principal
from modulo.domain.reasoning import Step, combine, decompose
from modulo.domain.search import SearchInput, SearchMetadata, SearchOutput
from modulo.domain.transfer import CacheEntry, Grant
from modulo.ports import Cache, Clock, Embedder, Generator, Metadata, Metrics, Reranker, Vectors
from modulo.usecases.answering import Answering, SearchLimits
from modulo.usecases.cache_keys import collection_prefix, embedding_key, result_key
from modulo.usecases.presenting import citation, cot_output, documents, query_result

log = logging.getLogger(__name__)
_VECTOR = TypeAdapter(list[float])


def search(
    principal: Principal,
    request: SearchInput,
    *,
    metadata: Metadata,
    cache: Cache,
    vectors: Vectors,
    embedder: Embedder,
    reranker: Reranker | None,
    generator: Generator,
    metrics: Metrics,
    clock: Clock,
    limits: SearchLimits,
) -> SearchOutput:
    """Retrieve, rerank, generate and check; from the cache where nothing has changed since.

    With chain of thought, each part of the question goes this way on its own.

    Raises:
        InvalidRequest: a filter or a number is not allowed.
        NotFound: no such collection is visible to the caller.
        QuotaExceeded: too few tokens are left for the answer.
        Unavailable, Throttled, BadModelAnswer: a part that no answer can do without failed.
    """
    started = perf_counter()
    run = Answering(
        principal,
        request,
        _conditions(request, limits),
        metadata,
        vectors,
        embedder,
        reranker,
        generator,
        metrics,
        clock,
        limits,
    )
    grant = run.timed("metadata", lambda: metadata.grant(principal, request.collection_id))
    questions = _questions(request)
    key = result_key(grant, request, [limits.rerank_model, generator.name])
    vector_keys = [embedding_key(principal.tenant_id, grant.space.model, question) for question in questions]
    known, *cached = run.timed("cache", lambda: cache.get([key, *vector_keys]))
    output = _decoded(known)
    if output is not None:
        metrics.count("rag_cache_hits_total", kind="result")
        seen = output.metadata.model_copy(update={"cached": True, "stage_seconds": run.seconds})
        return output.model_copy(update={"metadata": seen, "execution_time": perf_counter() - started})
    embedded = _embedded(run, grant, questions, cached)
    share = max(1, request.config_metadata.max_citations // len(questions))
    steps = [
        run.step(grant, question, vector, max_citations=share)
        for question, vector in zip(questions, embedded, strict=True)
    ]
    output = _output(run, grant, steps, seconds=perf_counter() - started)
    fresh = [
        CacheEntry(vector_key, _VECTOR.dump_json(vector), limits.embedding_ttl)
        for vector_key, vector, before in zip(vector_keys, embedded, cached, strict=True)
        if before is None
    ]
    if not output.metadata.degraded:  # such a result is never kept
        group = collection_prefix(principal.tenant_id, request.collection_id)
        fresh.append(CacheEntry(key, output.model_dump_json().encode(), limits.result_ttl, (group,)))
    cache.put(fresh)
    return output


def _conditions(request: SearchInput, limits: SearchLimits) -> tuple[Condition, ...]:
    config = request.config_metadata
    if config.top_k > limits.max_top_k:
        raise InvalidRequest.field("config_metadata.top_k", f"must be at most {limits.max_top_k}")
    return parse_filters(config.filters)


def _questions(request: SearchInput) -> list[str]:
    config = request.config_metadata
    return decompose(request.question) if config.cot_enabled and not config.cot_disabled else [request.question]


def _embedded(
    run: Answering, grant: Grant, questions: Sequence[str], cached: Sequence[bytes | None]
) -> list[list[float]]:
    """The questions' vectors; those that are not cached, in one call."""
    found = [_vector(value) for value in cached]
    missing = [question for question, vector in zip(questions, found, strict=True) if vector is None]
    made = iter(run.embed(grant, missing) if missing else [])
    return [vector if vector is not None else next(made) for vector in found]


def _vector(cached: bytes | None) -> list[float] | None:
    if cached is None:
        return None
    try:
        return _VECTOR.validate_json(cached)
    except ValidationError:
        log.warning("a cached vector could not be read; embedding anew")
        return None


def _decoded(known: bytes | None) -> SearchOutput | None:
    if known is None:
        return None
    try:
        return SearchOutput.model_validate_json(known)
    except ValidationError:
        log.warning("a cached result could not be read; searching anew")
        return None


def _output(run: Answering, grant: Grant, steps: Sequence[Step], *, seconds: float) -> SearchOutput:
    passages, answer = combine(steps)
    seen = SearchMetadata(
        collection_version=grant.version,
        embedding_model=grant.space.model.name,
        reranked=any(passage.reranked is not None for passage in passages),
        degraded=tuple(sorted(run.degraded)),
        stage_seconds=run.seconds,
    )
    found = SearchOutput(
        documents=documents(passages),
        query_results=tuple(query_result(passage) for passage in passages),
        execution_time=seconds,
        metadata=seen,
    )
    if run.request.config_metadata.retrieve_only:
        return found
    told = {"generator": run.generator.name, "found": answer.found, "tokens_used": sum(step.tokens for step in steps)}
    return found.model_copy(
        update={
            "answer": answer.text,
            "citations": tuple(citation(cited) for cited in answer.cited),
            "cot_output": cot_output(run.request.question, steps, answer) if len(steps) > 1 else None,
            "metadata": seen.model_copy(update=told),
        }
    )

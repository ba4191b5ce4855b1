"""Answer a question from a collection, with checked citations."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from modulo.domain.collection import EmbeddingModel
from modulo.domain.errors import InvalidRequest
from modulo.domain.filters import MOST_DOCUMENTS, Condition, of_documents, parse_filters, within
from modulo.domain.identity import Principal
from modulo.domain.reasoning import Step, combine, decompose
from modulo.domain.search import SearchInput, SearchMetadata, SearchOutput
from modulo.domain.transfer import CacheEntry, Grant
from modulo.domain.vector import packed, unpacked
from modulo.ports import Cache, Clock, Embedder, Generator, Metadata, Metrics, Reranker, Vectors
from modulo.usecases.answering import Answering, SearchLimits
from modulo.usecases.cache_keys import collection_prefix, embedding_key, grant_key, result_key
from modulo.usecases.presenting import citation, cot_output, documents, query_result

log = logging.getLogger(__name__)
Kept = TypeVar("Kept")
_EMBEDDED = TypeAdapter(
    tuple[EmbeddingModel, bytes], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
)
_GRANT = TypeAdapter(Grant)
_RESULT = TypeAdapter(tuple[Grant, SearchOutput])


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
    later: Callable[[Callable[[], None]], None],
) -> SearchOutput:
    """Retrieve, rerank, generate and check; from the cache where nothing has changed since.

    What the caller was granted last time tells where to search, so that metadata is asked once: what is live,
    and what is granted now, which nothing passes that is not. With chain of thought, each part of the question
    is searched for and answered on its own.

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
        clock.now(),
        limits,
    )
    questions = _questions(request)
    granted = grant_key(principal, request.collection_id)
    result = result_key(principal.tenant_id, request, [limits.rerank_model, generator.name])
    embeddings = [embedding_key(principal.tenant_id, question) for question in questions]
    last, kept, *cached = run.timed("cache", lambda: cache.get([granted, result, *embeddings]))
    grant, known = _read(_GRANT, last), _read(_RESULT, kept)
    if grant is None or known is not None:
        grant = run.timed("metadata", lambda: metadata.grant(principal, request.collection_id))
    if known is not None and known[0] == grant:
        metrics.count("rag_cache_hits_total", kind="result")
        return _again(run, known[1], seconds=perf_counter() - started)
    if asked := of_documents(run.conditions):
        grant, run.conditions = _chosen(run, asked)
    share = max(1, request.config_metadata.max_citations // len(questions))
    with run.metered():
        while True:
            embedded, made = _embedded(run, grant.space.model, questions, cached)
            present, found = run.retrieve(grant.space, questions, embedded)
            if present.space == grant.space:
                break
            grant = present  # it was embedded anew since: what was found is of no use
        steps = [
            run.step(question, passages, max_citations=share)
            for question, passages in zip(questions, found, strict=True)
        ]
    output = _output(run, present, steps, seconds=perf_counter() - started)
    # Otherwise something may have been published behind the retrieval's back.
    lasting = present == grant and not run.degraded
    later(partial(_remember, run, cache, present, vectors=made, result=(result, output) if lasting else None))
    return output


def _remember(
    run: Answering,
    cache: Cache,
    grant: Grant,
    *,
    vectors: Mapping[str, Sequence[float]],
    result: tuple[str, SearchOutput] | None,
) -> None:
    """Put the result, where it may be used again, the questions' vectors that were made, and what was granted."""
    limits, tenant_id, collection_id = run.limits, run.principal.tenant_id, run.request.collection_id
    group = (collection_prefix(tenant_id, collection_id),)
    kept = []
    for question, vector in vectors.items():
        embedding = _EMBEDDED.dump_json((grant.space.model, packed(vector)))
        kept.append(CacheEntry(embedding_key(tenant_id, question), embedding, limits.embedding_ttl))
    if result:
        key, output = result
        kept.append(CacheEntry(key, _RESULT.dump_json((grant, output)), limits.result_ttl, group))
    granted = grant_key(run.principal, collection_id)
    cache.put([*kept, CacheEntry(granted, _GRANT.dump_json(grant), limits.embedding_ttl, group)])


def _conditions(request: SearchInput, limits: SearchLimits) -> tuple[Condition, ...]:
    config = request.config_metadata
    if config.top_k > limits.max_top_k:
        raise InvalidRequest.field("config_metadata.top_k", f"must be at most {limits.max_top_k}")
    return parse_filters(config.filters)


def _chosen(run: Answering, asked: Sequence[Condition]) -> tuple[Grant, tuple[Condition, ...]]:
    """The conditions with the files in place of what they say, as of the moment of the grant."""
    matching = run.timed(
        "metadata",
        lambda: run.metadata.matching(run.principal, run.request.collection_id, asked, limit=MOST_DOCUMENTS + 1),
    )
    return matching.grant, within(run.conditions, matching.file_ids)


def _questions(request: SearchInput) -> list[str]:
    config = request.config_metadata
    return decompose(request.question) if config.cot_enabled and not config.cot_disabled else [request.question]


def _read(kind: TypeAdapter[Kept], value: bytes | None) -> Kept | None:
    if value is None:
        return None
    try:
        return kind.validate_json(value)
    except ValidationError:
        log.warning("a cached value could not be read; doing without it")
        return None


def _again(run: Answering, output: SearchOutput, *, seconds: float) -> SearchOutput:
    seen = output.metadata.model_copy(update={"cached": True, "stage_seconds": run.seconds})
    return output.model_copy(update={"metadata": seen, "execution_time": seconds})


def _vector(value: bytes | None, model: EmbeddingModel) -> list[float] | None:
    """A cached vector, if that model made it."""
    known = _read(_EMBEDDED, value)
    return unpacked(known[1], model.dimensions) if known is not None and known[0] == model else None


def _embedded(
    run: Answering, model: EmbeddingModel, questions: Sequence[str], cached: Sequence[bytes | None]
) -> tuple[list[list[float]], dict[str, list[float]]]:
    """The questions' vectors, and by question those that are not cached, which are made in one call."""
    known = [_vector(value, model) for value in cached]
    missing = [question for question, vector in zip(questions, known, strict=True) if vector is None]
    made = dict(zip(missing, run.embed(model, missing), strict=True)) if missing else {}
    return [
        made[question] if vector is None else vector for question, vector in zip(questions, known, strict=True)
    ], made


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

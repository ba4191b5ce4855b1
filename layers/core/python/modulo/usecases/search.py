"""Answer a question from a collection, with checked citations."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import ceil
from time import perf_counter
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from modulo.domain.answer import NOT_FOUND, Answer, Prompt
from modulo.domain.citations import check
from modulo.domain.errors import InvalidRequest, Throttled, Unavailable
from modulo.domain.filters import Condition, parse_filters
from modulo.domain.identity import Principal
from modulo.domain.passage import Hit, Passage
from modulo.domain.quota import Quotas, exceeded, period_of, resets_at
from modulo.domain.search import SearchInput, SearchMetadata, SearchOutput
from modulo.domain.transfer import Grant
from modulo.ports import Cache, Clock, Embedder, Generator, Metadata, Metrics, Reranker, Vectors
from modulo.usecases.cache_keys import embedding_key, result_key
from modulo.usecases.presenting import citation, documents, query_result

log = logging.getLogger(__name__)
Result = TypeVar("Result")
_VECTOR = TypeAdapter(list[float])
WIDEST = 1_000


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """What one search may take; times to live in seconds."""

    max_top_k: int
    rerank_candidates: int
    result_ttl: int
    embedding_ttl: int
    rerank_model: str
    quotas: Quotas


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

    Raises:
        InvalidRequest: a filter or a number is not allowed.
        NotFound: no such collection is visible to the caller.
        QuotaExceeded: too few tokens are left for the answer.
        Unavailable, Throttled, BadModelAnswer: a part that no answer can do without failed.
    """
    started = perf_counter()
    conditions = _conditions(request, limits)
    run = _Run(principal, request, metadata, vectors, embedder, reranker, generator, metrics, clock, limits)
    grant = run.timed("metadata", lambda: metadata.grant(principal, request.collection_id))
    keys = [
        result_key(grant, request, [limits.rerank_model, generator.name]),
        embedding_key(principal.tenant_id, grant.space.model, request.question),
    ]
    known, vector = run.timed("cache", lambda: cache.get(keys))
    output = _decoded(known)
    if output is not None:
        metrics.count("rag_cache_hits_total", kind="result")
        seen = output.metadata.model_copy(update={"cached": True, "stage_seconds": run.seconds})
        return output.model_copy(update={"metadata": seen, "execution_time": perf_counter() - started})
    embedded, fresh = run.embed(grant, vector)
    output = run.answer(grant, embedded, conditions)
    output = output.model_copy(update={"execution_time": perf_counter() - started})
    _remember(cache, keys, output, embedded if fresh else None, limits)
    return output


def _conditions(request: SearchInput, limits: SearchLimits) -> tuple[Condition, ...]:
    config = request.config_metadata
    if config.top_k > limits.max_top_k:
        raise InvalidRequest.field("config_metadata.top_k", f"must be at most {limits.max_top_k}")
    return parse_filters(config.filters)


def _decoded(known: bytes | None) -> SearchOutput | None:
    if known is None:
        return None
    try:
        return SearchOutput.model_validate_json(known)
    except ValidationError:
        log.warning("a cached result could not be read; searching anew")
        return None


def _remember(
    cache: Cache, keys: Sequence[str], output: SearchOutput, vector: Sequence[float] | None, limits: SearchLimits
) -> None:
    """Keep what may be reused; a degraded result is never kept."""
    if limits.embedding_ttl and vector is not None:
        cache.put({keys[1]: _VECTOR.dump_json(list(vector))}, ttl=limits.embedding_ttl)
    if limits.result_ttl and not output.metadata.degraded:
        cache.put({keys[0]: output.model_dump_json().encode()}, ttl=limits.result_ttl)


@dataclass(slots=True)
class _Run:
    """One search that the cache could not answer."""

    principal: Principal
    request: SearchInput
    metadata: Metadata
    vectors: Vectors
    embedder: Embedder
    reranker: Reranker | None
    generator: Generator
    metrics: Metrics
    clock: Clock
    limits: SearchLimits
    seconds: dict[str, float] = field(default_factory=dict)
    degraded: list[str] = field(default_factory=list)

    def timed(self, stage: str, work: Callable[[], Result]) -> Result:
        """Do the work and record how long the stage took."""
        started = perf_counter()
        result = work()
        taken = perf_counter() - started
        self.seconds[stage] = round(self.seconds.get(stage, 0) + taken, 6)
        self.metrics.observe("rag_search_latency_seconds", taken, stage=stage)
        return result

    def embed(self, grant: Grant, cached: bytes | None) -> tuple[list[float], bool]:
        """The question's vector, and whether it was computed now."""
        if cached is not None:
            try:
                return _VECTOR.validate_json(cached), False
            except ValidationError:
                log.warning("a cached vector could not be read; embedding anew")
        model = grant.space.model
        text = model.query_prefix + self.request.question
        return self.timed("embedding", lambda: self.embedder.embed(model, [text]))[0], True

    def answer(self, grant: Grant, vector: Sequence[float], conditions: Sequence[Condition]) -> SearchOutput:
        """Everything behind the question's vector."""
        config = self.request.config_metadata
        passages = self._rerank(self._retrieve(grant, vector, conditions))
        passages = [passage for passage in passages if passage.score >= config.min_confidence]
        passages = passages[: config.top_k_rerank or config.top_k]
        output = SearchOutput(
            documents=documents(passages),
            query_results=tuple(query_result(passage) for passage in passages),
            execution_time=0,
            metadata=SearchMetadata(
                collection_version=grant.version,
                embedding_model=grant.space.model.name,
                reranked=any(passage.reranked is not None for passage in passages),
            ),
        )
        if config.retrieve_only:
            return self._finished(output)
        checked, tokens = self._generate(passages)
        output = output.model_copy(
            update={
                "answer": checked.text,
                "citations": tuple(citation(cited) for cited in checked.cited),
                "metadata": output.metadata.model_copy(
                    update={"generator": self.generator.name, "found": checked.found, "tokens_used": tokens}
                ),
            }
        )
        return self._finished(output)

    def _finished(self, output: SearchOutput) -> SearchOutput:
        seen = output.metadata.model_copy(update={"degraded": tuple(self.degraded), "stage_seconds": self.seconds})
        return output.model_copy(update={"metadata": seen})

    def _retrieve(self, grant: Grant, vector: Sequence[float], conditions: Sequence[Condition]) -> list[Passage]:
        """Live passages; hits of generations that are not live are made up for by a wider search."""
        wanted = max(self.request.config_metadata.top_k, self.limits.rerank_candidates if self._reranks() else 0)
        limit = wanted
        while True:
            hits = self.timed("retrieval", lambda: self._hits(grant, vector, limit, conditions))  # noqa: B023 - run at once
            passages = self.timed("documents", lambda: self._live(hits))  # noqa: B023 - run at once
            if len(passages) >= wanted or len(hits) < limit or limit >= WIDEST:
                return passages[:wanted]
            limit = min(WIDEST, limit * 8)

    def _hits(self, grant: Grant, vector: Sequence[float], limit: int, conditions: Sequence[Condition]) -> list[Hit]:
        started = perf_counter()
        hits = self.vectors.search(
            grant.space, vector=vector, question=self.request.question, limit=limit, conditions=conditions
        )
        self.metrics.observe("milvus_search_duration_seconds", perf_counter() - started)
        return hits

    def _live(self, hits: Sequence[Hit]) -> list[Passage]:
        if not hits:
            return []
        wanted = sorted({hit.ref.file_id for hit in hits}, key=str)
        live = self.metadata.live_documents(self.principal.tenant_id, self.request.collection_id, wanted)
        return [
            Passage(hit, document)
            for hit in hits
            if (document := live.get(hit.ref.file_id)) and document.generation == hit.ref.generation
        ]

    def _reranks(self) -> bool:
        return self.reranker is not None and not self.request.config_metadata.disable_rerank

    def _rerank(self, passages: list[Passage]) -> list[Passage]:
        """The first candidates by the reranker's order, the rest behind them; unchanged where it fails."""
        reranker = self.reranker
        if reranker is None or not self._reranks() or not passages:
            return passages
        first, rest = passages[: self.limits.rerank_candidates], passages[self.limits.rerank_candidates :]
        question = self.request.question
        try:
            scores = self.timed("rerank", lambda: reranker.score(question, [passage.reading for passage in first]))
        except (Unavailable, Throttled) as error:
            log.warning("reranker left out: %s", error.detail)
            self.degraded.append("reranker")
            return passages
        ranked = [passage.with_rerank(score) for passage, score in zip(first, scores, strict=True)]
        return sorted(ranked, key=lambda passage: -passage.score) + rest

    def _generate(self, passages: Sequence[Passage]) -> tuple[Answer, int]:
        """A checked answer and the tokens it took; without passages nothing is asked of the model."""
        if not passages:
            return Answer(NOT_FOUND, ()), 0
        config = self.request.config_metadata
        prompt = Prompt(self.request.question, tuple(_shortened(p, config.max_context_per_doc) for p in passages))
        with self._metered(self.generator.reserve(prompt)) as meter:
            draft = self.timed("generation", lambda: self.generator.generate(prompt))
            meter.used = draft.tokens.total
        if meter.used:
            provider, _, model = self.generator.name.partition(":")
            self.metrics.count("llm_tokens_used_total", meter.used, provider=provider, model=model)
        return check(draft, prompt.passages, max_citations=config.max_citations), meter.used

    @contextmanager
    def _metered(self, reserved: int) -> Iterator["_Meter"]:
        """Reserve tokens before a model is asked; afterwards keep what it used and give back the rest."""
        meter = _Meter()
        if not reserved:
            yield meter
            return
        now = self.clock.now()
        period = period_of(now)
        limit = self.limits.quotas.tokens_per_day
        if not self.metadata.reserve_tokens(self.principal, period=period, tokens=reserved, limit=limit):
            wait = ceil((resets_at(period) - now).total_seconds())
            raise exceeded("tokens a day", limit, retry_after=wait)
        try:
            yield meter
        finally:
            self.metadata.settle_tokens(self.principal, period=period, reserved=reserved, used=meter.used)


@dataclass(slots=True)
class _Meter:
    used: int = 0


def _shortened(passage: Passage, characters: int) -> Passage:
    """The passage with at most so many characters, cut between words."""
    if len(passage.text) <= characters:
        return passage
    text = passage.text[:characters]
    text = text[: text.rfind(" ")] if " " in text else text
    return replace(passage, hit=replace(passage.hit, chunk=replace(passage.hit.chunk, text=text)))

"""The stages of a search behind its cache: embed, retrieve, rerank, generate, check."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import ceil
from time import perf_counter
from typing import TypeVar

from modulo.domain.answer import NOT_FOUND, Answer, Prompt
from modulo.domain.citations import check
from modulo.domain.errors import Throttled, Unavailable
from modulo.domain.filters import Condition
from modulo.domain.identity import Principal
from modulo.domain.passage import Hit, Passage
from modulo.domain.quota import Quotas, exceeded, period_of, resets_at
from modulo.domain.reasoning import Step
from modulo.domain.search import SearchInput
from modulo.domain.transfer import Grant
from modulo.ports import Clock, Embedder, Generator, Metadata, Metrics, Reranker, Vectors

log = logging.getLogger(__name__)
Result = TypeVar("Result")
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


@dataclass(slots=True)
class Answering:
    """One search; `seconds` sums up the time of each stage, `degraded` names what was left out."""

    principal: Principal
    request: SearchInput
    conditions: Sequence[Condition]
    metadata: Metadata
    vectors: Vectors
    embedder: Embedder
    reranker: Reranker | None
    generator: Generator
    metrics: Metrics
    clock: Clock
    limits: SearchLimits
    seconds: dict[str, float] = field(default_factory=dict)
    degraded: set[str] = field(default_factory=set)

    def timed(self, stage: str, work: Callable[[], Result]) -> Result:
        """Do the work and record how long the stage took."""
        started = perf_counter()
        result = work()
        taken = perf_counter() - started
        self.seconds[stage] = round(self.seconds.get(stage, 0) + taken, 6)
        self.metrics.observe("rag_search_latency_seconds", taken, stage=stage)
        return result

    def embed(self, grant: Grant, questions: Sequence[str]) -> list[list[float]]:
        """The questions' vectors."""
        model = grant.space.model
        texts = [model.query_prefix + question for question in questions]
        return self.timed("embedding", lambda: self.embedder.embed(model, texts))

    def step(self, grant: Grant, question: str, vector: Sequence[float], *, max_citations: int) -> Step:
        """Everything behind a question's vector; without an answer where only passages are asked for."""
        started = perf_counter()
        config = self.request.config_metadata
        passages = self._rerank(question, self._retrieve(grant, question, vector))
        passages = [passage for passage in passages if passage.score >= config.min_confidence]
        passages = passages[: config.top_k_rerank or config.top_k]
        answer, tokens = Answer(NOT_FOUND, ()), 0
        if passages and not config.retrieve_only:
            answer, tokens = self._generate(question, passages, max_citations)
        return Step(question, tuple(passages), answer, tokens, perf_counter() - started)

    def _retrieve(self, grant: Grant, question: str, vector: Sequence[float]) -> list[Passage]:
        """Live passages; hits of generations that are not live are made up for by a wider search."""
        wanted = max(self.request.config_metadata.top_k, self.limits.rerank_candidates if self._reranks() else 0)
        limit = wanted
        while True:
            hits = self.timed("retrieval", lambda: self._hits(grant, question, vector, limit))  # noqa: B023 - run at once
            passages = self.timed("documents", lambda: self._live(hits))  # noqa: B023 - run at once
            if len(passages) >= wanted or len(hits) < limit or limit >= WIDEST:
                return passages[:wanted]
            limit = min(WIDEST, limit * 8)

    def _hits(self, grant: Grant, question: str, vector: Sequence[float], limit: int) -> list[Hit]:
        started = perf_counter()
        hits = self.vectors.search(
            grant.space, vector=vector, question=question, limit=limit, conditions=self.conditions
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

    def _rerank(self, question: str, passages: list[Passage]) -> list[Passage]:
        """The first candidates by the reranker's order, the rest behind them; unchanged where it fails."""
        reranker = self.reranker
        if reranker is None or not self._reranks() or not passages:
            return passages
        first, rest = passages[: self.limits.rerank_candidates], passages[self.limits.rerank_candidates :]
        try:
            scores = self.timed("rerank", lambda: reranker.score(question, [passage.reading for passage in first]))
        except (Unavailable, Throttled) as error:
            log.warning("reranker left out: %s", error.detail)
            self.degraded.add("reranker")
            return passages
        ranked = [passage.with_rerank(score) for passage, score in zip(first, scores, strict=True)]
        return sorted(ranked, key=lambda passage: -passage.score) + rest

    def _generate(self, question: str, passages: Sequence[Passage], max_citations: int) -> tuple[Answer, int]:
        """A checked answer and the tokens it took."""
        most = self.request.config_metadata.max_context_per_doc
        prompt = Prompt(question, tuple(_shortened(passage, most) for passage in passages))
        with self._metered(self.generator.reserve(prompt)) as meter:
            draft = self.timed("generation", lambda: self.generator.generate(prompt))
            meter.used = draft.tokens.total
        if meter.used:
            provider, _, model = self.generator.name.partition(":")
            self.metrics.count("llm_tokens_used_total", meter.used, provider=provider, model=model)
        return check(draft, prompt.passages, max_citations=max_citations), meter.used

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

"""The stages of a search behind its cache: embed, retrieve, look what is live, rerank, generate, check."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import nlargest
from math import ceil
from time import perf_counter
from typing import TypeVar

from modulo.domain.answer import NOT_FOUND, Answer, Prompt
from modulo.domain.citations import check
from modulo.domain.collection import EmbeddingModel, Space
from modulo.domain.errors import Throttled, Unavailable
from modulo.domain.file import DocumentInfo
from modulo.domain.filters import Condition
from modulo.domain.identity import Principal
from modulo.domain.passage import Hit, LiveDocument, Passage
from modulo.domain.quota import Quotas, Reservation, exceeded, period_of, resets_at
from modulo.domain.reasoning import Step
from modulo.domain.search import SearchInput
from modulo.domain.transfer import Grant, Live
from modulo.ports import Embedder, Generator, Metadata, Metrics, Reranker, Vectors

log = logging.getLogger(__name__)
Result = TypeVar("Result")
WIDEST = 1_000
_UNKNOWN = DocumentInfo()


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
    """One search, begun `now`; `seconds` sums up the time of each stage, `degraded` names what was left out."""

    principal: Principal
    request: SearchInput
    conditions: Sequence[Condition]
    metadata: Metadata
    vectors: Vectors
    embedder: Embedder
    reranker: Reranker | None
    generator: Generator
    metrics: Metrics
    now: datetime
    limits: SearchLimits
    seconds: dict[str, float] = field(default_factory=dict)
    degraded: set[str] = field(default_factory=set)
    reserved: int = 0
    used: int = 0

    def timed(self, stage: str, work: Callable[[], Result]) -> Result:
        """Do the work and record how long the stage took."""
        started = perf_counter()
        result = work()
        taken = perf_counter() - started
        self.seconds[stage] = round(self.seconds.get(stage, 0) + taken, 6)
        self.metrics.observe("rag_search_latency_seconds", taken, stage=stage)
        return result

    def embed(self, model: EmbeddingModel, questions: Sequence[str]) -> list[list[float]]:
        """The questions' vectors."""
        texts = [model.query_prefix + question for question in questions]
        return self.timed("embedding", lambda: self.embedder.embed(model, texts))

    @contextmanager
    def metered(self) -> Iterator[None]:
        """Keep the tokens that were used of those that were reserved meanwhile, and give back the rest."""
        try:
            yield
        finally:
            if self.reserved:
                self.metadata.settle_tokens(
                    self.principal, period=period_of(self.now), reserved=self.reserved, used=self.used
                )

    def retrieve(
        self, space: Space, questions: Sequence[str], vectors: Sequence[Sequence[float]]
    ) -> tuple[Grant, list[list[Passage]]]:
        """What the caller is granted now, and live passages for each question, for whose answers tokens are reserved.

        Hits of generations that are not live are made up for by a wider search.

        Raises:
            NotFound: no such collection is visible to the caller.
            QuotaExceeded: too few tokens are left.
        """
        wanted = max(self.request.config_metadata.top_k, self.limits.rerank_candidates if self._reranks() else 0)
        limit = wanted
        while True:
            hits = [
                self._hits(space, question, vector, limit) for question, vector in zip(questions, vectors, strict=True)
            ]
            live = self.timed("documents", lambda: self._live(questions, hits))  # noqa: B023 - run at once
            passages = [_living(found, live) for found in hits]
            enough = all(len(p) >= wanted or len(h) < limit for p, h in zip(passages, hits, strict=True))
            if enough or limit >= WIDEST or live.grant.space != space:
                return live.grant, [found[:wanted] for found in passages]
            limit = min(WIDEST, limit * 8)

    def step(self, question: str, passages: Sequence[Passage], *, max_citations: int) -> Step:
        """Everything behind a question's passages; without an answer where only they are asked for."""
        started = perf_counter()
        config = self.request.config_metadata
        passages = [passage for passage in self._rerank(question, passages) if passage.score >= config.min_confidence]
        passages = passages[: self._kept]
        answer, tokens = Answer(NOT_FOUND, ()), 0
        if passages and not config.retrieve_only:
            answer, tokens = self._generate(question, passages, max_citations)
        return Step(question, tuple(passages), answer, tokens, perf_counter() - started)

    @property
    def _kept(self) -> int:
        config = self.request.config_metadata
        return config.top_k_rerank or config.top_k

    def _hits(self, space: Space, question: str, vector: Sequence[float], limit: int) -> list[Hit]:
        started = perf_counter()
        hits = self.timed(
            "retrieval",
            lambda: self.vectors.search(
                space, vector=vector, question=question, limit=limit, conditions=self.conditions
            ),
        )
        self.metrics.observe("milvus_search_duration_seconds", perf_counter() - started)
        return hits

    def _live(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> Live:
        """What is live of the hits; their answers' tokens are reserved with it, before any is chosen."""
        file_ids = sorted({hit.ref.file_id for found in hits for hit in found}, key=str)
        reservation = self._reservation(questions, hits)
        live = self.metadata.live_documents(
            self.principal, self.request.collection_id, file_ids, reservation=reservation
        )
        if reservation is not None:
            if not live.reserved:
                wait = ceil((resets_at(reservation.period) - self.now).total_seconds())
                raise exceeded("tokens a day", reservation.limit, retry_after=wait)
            self.reserved += reservation.tokens
        return live

    def _reservation(self, questions: Sequence[str], hits: Sequence[Sequence[Hit]]) -> Reservation | None:
        """The tokens that answers may take; without those that are reserved, where this is a wider search."""
        if self.request.config_metadata.retrieve_only:
            return None
        prompts = [self._largest(question, found) for question, found in zip(questions, hits, strict=True) if found]
        tokens = sum(map(self.generator.reserve, prompts)) - self.reserved
        return Reservation(period_of(self.now), tokens, self.limits.quotas.tokens_per_day) if tokens > 0 else None

    def _largest(self, question: str, hits: Sequence[Hit]) -> Prompt:
        """The prompt of those hits that would take most tokens."""
        passages = [self._shortened(_supposed(hit)) for hit in hits]
        if len(passages) > self._kept:
            passages = nlargest(
                self._kept, passages, key=lambda passage: self.generator.reserve(Prompt(question, (passage,)))
            )
        return Prompt(question, tuple(passages))

    def _reranks(self) -> bool:
        return self.reranker is not None and not self.request.config_metadata.disable_rerank

    def _rerank(self, question: str, passages: Sequence[Passage]) -> Sequence[Passage]:
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
        return [*sorted(ranked, key=lambda passage: -passage.score), *rest]

    def _generate(self, question: str, passages: Sequence[Passage], max_citations: int) -> tuple[Answer, int]:
        """A checked answer and the tokens it took."""
        prompt = Prompt(question, tuple(map(self._shortened, passages)))
        draft = self.timed("generation", lambda: self.generator.generate(prompt))
        tokens = draft.tokens.total
        if tokens:
            self.used += tokens
            provider, _, model = self.generator.name.partition(":")
            self.metrics.count("llm_tokens_used_total", tokens, provider=provider, model=model)
        return check(draft, prompt.passages, max_citations=max_citations), tokens

    def _shortened(self, passage: Passage) -> Passage:
        """The passage with as many characters as an answer may rest on, cut between words."""
        most = self.request.config_metadata.max_context_per_doc
        if len(passage.text) <= most:
            return passage
        text = passage.text[:most]
        text = text[: text.rfind(" ")] if " " in text else text
        return replace(passage, hit=replace(passage.hit, chunk=replace(passage.hit.chunk, text=text)))


def _living(hits: Sequence[Hit], live: Live) -> list[Passage]:
    """The hits whose generation is live."""
    return [
        Passage(hit, document)
        for hit in hits
        if (document := live.documents.get(hit.ref.file_id)) and document.generation == hit.ref.generation
    ]


def _supposed(hit: Hit) -> Passage:
    """The passage that a hit becomes if it is live."""
    return Passage(hit, LiveDocument(hit.ref.file_id, hit.ref.generation, hit.source, 0, _UNKNOWN, ""))

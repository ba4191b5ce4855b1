"""One search: what it works with, and what it records on the way."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from modulo.domain.answers.answer import EXTRACTIVE, TokenUsage
from modulo.domain.answers.answer_options import PLAIN, AnswerOptions
from modulo.domain.answers.reasoning_options import FormatType
from modulo.domain.retrieval.filters import CHUNK_FIELDS, conditions, on_documents
from modulo.domain.retrieval.fusion import Ranking, SearchType
from modulo.domain.retrieval.grouping import PASSAGES_PER_DOCUMENT, GroupBy, of_best_documents
from modulo.domain.retrieval.search_defaults import first_said, of_all
from modulo.domain.text.language import language_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from uuid import UUID

    from modulo.domain.collections.collection import EmbeddingModel
    from modulo.domain.collections.grant import Grant
    from modulo.domain.errors import ModuloError
    from modulo.domain.retrieval.filters import Filter
    from modulo.domain.retrieval.passage import Passage
    from modulo.domain.retrieval.search_defaults import SearchDefaults
    from modulo.domain.search.reasoning import Plan
    from modulo.domain.search.search import SearchInput
    from modulo.domain.tenancy.identity import Principal
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts

Result = TypeVar("Result")
LEAST_PASSAGES = 3
"""Of a part of a question, where so many are asked for."""


@dataclass(slots=True)
class SearchRun:
    """One search: caller, request, ports and limits; the time of each stage, and the stages that were skipped."""

    principal: Principal
    request: SearchInput
    collections: Sequence[UUID]
    where: Filter
    questions: Sequence[str]
    """The question, or those of its parts that are answered in this round."""
    plan: Plan
    ports: SearchPorts
    limits: SearchLimits
    streams: bool = False
    """Whether somebody is told of the answer while it is written."""
    options: AnswerOptions = PLAIN
    """How the answer is to be written, as the request says."""
    grants: Sequence[Grant] = ()
    """What is searched, as soon as that is known."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By stage, added up."""
    degraded: set[str] = field(default_factory=set)
    """Parts that were left out because they did not answer."""
    unembedded: dict[EmbeddingModel, ModuloError] = field(default_factory=dict)
    """Why there are no vectors of the models that did not answer: their collections are searched by words."""
    generator: str = ""
    """The one that wrote the answer, once one did."""
    cut_short: bool = False
    """Whether it ran out of tokens."""
    used: TokenUsage = field(default_factory=TokenUsage)
    """The tokens of all answers to parts so far."""

    _lock: Lock = field(default_factory=Lock)

    def timed(self, stage: str, work: Callable[[], Result]) -> Result:
        """Do the work and record how long the stage took."""
        with self.timing(stage):
            return work()

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Record how long the stage inside took, unless it fails."""
        started = perf_counter()
        yield
        taken = perf_counter() - started
        with self._lock:  # parts are answered side by side
            self.seconds[stage] = round(self.seconds.get(stage, 0) + taken, 6)
        self.ports.metrics.observe("rag_search_latency_seconds", taken, stage=stage)

    def note_generator(self, name: str) -> None:
        """Note which generator wrote; one that stands in for the first is a degradation."""
        self.generator = name or self.ports.generator.name
        if self.generator != self.ports.generator.name:
            self.degraded.add("generator")

    def count_tokens(self, used: TokenUsage, charged: int) -> int:
        """Count what a model used, and what was charged for it, if anything; the latter."""
        with self._lock:
            self.used = TokenUsage(self.used.prompt + used.prompt, self.used.completion + used.completion)
        if charged:
            provider, _, model = (self.generator or self.ports.generator.name).partition(":")
            self.ports.metrics.count("llm_tokens_used_total", charged, provider=provider, model=model)
        return charged

    @property
    def reusable(self) -> bool:
        """Whether its result may be that of the same search later: nothing is left to chance."""
        return not self.options.leaves_to_chance

    def ranking(self, grant: Grant) -> Ranking:
        """How passages of a collection are found and ordered."""
        said = self._said_of(grant)
        asked = first_said(lambda one: one.search_type, *said)
        search_type = SearchType.text if grant.space.model in self.unembedded else asked
        return Ranking(search_type, first_said(lambda one: one.text_weight, *said))

    def score_threshold(self, grant: Grant) -> float:
        """The least score of a collection's hits."""
        return first_said(lambda one: one.score_threshold, *self._said_of(grant))

    @property
    def top_k(self) -> int:
        """How many passages or documents are asked for."""
        return min(first_said(lambda one: one.top_k, *self._said_of_all), self.limits.max_top_k)

    @property
    def context_tokens(self) -> int:
        """How many tokens of neighbours join the passages of the question, or of each of its parts."""
        return first_said(lambda one: one.context_tokens, *self._said_of_all) // len(self.plan.parts)

    @property
    def reads_neighbors(self) -> bool:
        """Whether the answer may rest on neighbours: extracts are no better for them."""
        return self.ports.generator.name != EXTRACTIVE

    @property
    def answer_options(self) -> AnswerOptions:
        """How the answer is to be written, with the collections' instructions where the request gives none."""
        if self.options.instructions:
            return self.options
        return replace(self.options, instructions=first_said(lambda one: one.instructions, *self._said_of_all))

    @property
    def on_documents(self) -> Filter:
        """What the filter asks of documents."""
        return on_documents(self.where)

    @property
    def selects_documents(self) -> bool:
        """Whether it asks for anything that the vector store does not know."""
        return any(condition.field not in CHUNK_FIELDS for condition in conditions(self.on_documents))

    @property
    def reranks(self) -> bool:
        """Whether passages are reranked."""
        return self.ports.reranker is not None and not self.request.config_metadata.disable_rerank

    @property
    def streams_text(self) -> bool:
        """Whether the answer is told while it is written: nothing later can take back any of it, or change its form."""
        whole = self.threshold > 0 or self.plan.concludes or self.form is not FormatType.standard
        return self.streams and not whole

    @property
    def form(self) -> FormatType:
        """The form of the answer."""
        return self.request.config_metadata.format_type

    @property
    def language(self) -> str | None:
        """The question's language, where it is clear: what is said in place of answers is in it."""
        return language_of(self.request.question)

    @property
    def threshold(self) -> float:
        """The confidence from which on a step counts as answered."""
        cot = self.request.config_metadata.cot_config
        return cot.evaluation_threshold if cot else 0.0

    @property
    def tells_steps(self) -> bool:
        """Whether the steps are part of the response."""
        config = self.request.config_metadata
        told = (config.cot_enabled, config.cot_config is not None, config.include_reasoning)
        return any(told) or config.format_type is FormatType.cot_reasoning

    @property
    def by_document(self) -> bool:
        """Whether the search counts documents, not passages."""
        return first_said(lambda one: one.group_by, *self._said_of_all) is GroupBy.document

    @property
    def max_passages(self) -> int:
        """How many passages of a question are kept after reranking, at most."""
        return self._most * (PASSAGES_PER_DOCUMENT if self.by_document else 1)

    def max_citations(self, part: int) -> int:
        """How many passages the answer to a part of the question cites, by its place: the first ones get the rest."""
        each, rest = divmod(self.request.config_metadata.max_citations, len(self.plan.parts))
        return max(1, each + (part < rest))

    def best(self, passages: Sequence[Passage]) -> Sequence[Passage]:
        """Those of a question's passages that are kept: the first ones, or those of the first documents."""
        return of_best_documents(passages, self._most) if self.by_document else passages[: self._most]

    @property
    def _most(self) -> int:
        """How many passages or documents are kept, of the question or of each of its parts."""
        config, parts = self.request.config_metadata, len(self.plan.parts)
        most = config.top_k_rerank or self.top_k
        return most if parts == 1 else max(min(most, LEAST_PASSAGES), -(-most // parts))

    def _said_of(self, grant: Grant) -> tuple[SearchDefaults, ...]:
        """What is said of the search of one collection, first what counts most."""
        return self.request.config_metadata.said, grant.defaults, self.limits.defaults

    @property
    def _said_of_all(self) -> tuple[SearchDefaults, ...]:
        """What is said of the search as a whole."""
        of_collections = of_all([grant.defaults for grant in self.grants])
        return self.request.config_metadata.said, of_collections, self.limits.defaults

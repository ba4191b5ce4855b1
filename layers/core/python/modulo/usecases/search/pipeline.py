"""The stages of a search behind its cache: embed, retrieve, rerank, generate, check."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from modulo.domain.answers.answer import Answer, Prompt
from modulo.domain.answers.citations import check_citations
from modulo.domain.answers.outcome import NOT_FOUND
from modulo.domain.retrieval.filters import AllOf, Comparison, Condition, FilterField
from modulo.domain.retrieval.near_duplicates import distinct
from modulo.domain.retrieval.neighbors import in_reading_order
from modulo.domain.search.reasoning import Step
from modulo.domain.search.search_events import PassagesFound, SearchEvent, StageBegan
from modulo.ports.context_threads import side_by_side
from modulo.usecases.search.answer_stream import AnswerStream
from modulo.usecases.search.neighbors import with_neighbors
from modulo.usecases.search.question_vectors import question_vectors
from modulo.usecases.search.reranking import rerank
from modulo.usecases.search.response import found_documents, query_results
from modulo.usecases.search.retrieval import Retrieval, Retrieved, searched_as, shortened
from modulo.usecases.search.token_budget import TokenBudget

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from modulo.domain.collections.grant import Grant, MatchingFiles
    from modulo.domain.retrieval.filters import Filter
    from modulo.domain.retrieval.passage import Passage
    from modulo.usecases.search.cache import CachedVectors
    from modulo.usecases.search.run import SearchRun

MAX_NAMED_FILES = 1_000
"""How many files a vector store is told to search; where more match, its hits are checked one by one."""


@dataclass(frozen=True, slots=True)
class SearchPipeline:
    """The stages of one search."""

    run: SearchRun
    budget: TokenBudget
    stream: AnswerStream

    @classmethod
    def of(cls, run: SearchRun) -> SearchPipeline:
        """The pipeline of a search that begins now."""
        ports = run.ports
        limit, cot = run.limits.quotas.tokens_per_day, run.request.config_metadata.cot_config
        budget = TokenBudget(
            run.principal,
            ports.usage,
            ports.clock.now(),
            limit,
            multiplier=cot.token_budget_multiplier if cot else None,
            concludes=run.plan.concludes,
        )
        return cls(run, budget, AnswerStream(run, budget))

    def retrieve(self, grants: tuple[Grant, ...], cached: CachedVectors, matching: MatchingFiles | None) -> Retrieved:
        """Passages for each question, from where the grants say; again where a collection was re-embedded meanwhile.

        Raises:
            NotFound: one of the collections is not visible to the caller.
            QuotaExceeded: too few tokens are left for the answers.
            Unavailable, Throttled, BadModelAnswer: the vector store fails; or the embedder does, and words alone find
                nothing or are not searched for.
        """
        retrieval = Retrieval(self.run, self.budget)
        known = matching if matching and matching.grants == grants else None
        looked_up: MatchingFiles | None = None
        while True:
            self.run.grants = grants
            if self.run.selects_documents and known is None:
                known = looked_up = self._matching_files()
                self.run.grants = grants = known.grants
            vectors, embedded = question_vectors(self.run, grants, cached)
            found = retrieval.passages(grants, vectors, self._narrowed(known))
            outdated = known is not looked_up and found.grants != grants
            if searched_as(found.grants) == searched_as(grants) and not outdated:
                if self.run.unembedded and not any(found.passages):
                    raise next(iter(self.run.unembedded.values()))  # rather than an answer that nothing was found
                return Retrieved(
                    found.grants, found.passages, embedded, known, found.complete, unchanged=found.grants == grants
                )
            grants, known = found.grants, None

    def answer(self, retrieved: Retrieved, *, answered: int = 0) -> Generator[SearchEvent, None, list[Step]]:
        """An answer to each question; with those `answered` before, they share the citations.

        Where the search streams, what happens is told.

        The questions are answered side by side, but for two cases: a stream tells one answer after the other, and a
        bound of tokens is to meet the last of them.
        """
        run = self.run
        asked = [
            (*both, run.max_citations(at))
            for at, both in enumerate(zip(run.questions, retrieved.passages, strict=True), start=answered)
        ]
        if not run.streams and self.budget.multiplier is None:
            return side_by_side(lambda one: _result(self._step(*one)), asked)
        steps = []
        for one in asked:
            step = yield from self._step(*one)
            steps.append(step)
        return steps

    def conclude(self, steps: Sequence[Step]) -> Generator[SearchEvent, None, Step]:
        """An answer to the whole question, from the passages that the steps' answers rest on."""
        started, run, config = perf_counter(), self.run, self.run.request.config_metadata
        found = {one.passage.chunk_id: one.passage for step in steps for one in step.answer.cited}
        passages = sorted(found.values(), key=lambda passage: -passage.score)[: config.top_k_rerank or run.top_k]
        question = run.request.question
        return (yield from self._answered(question, passages, config.max_citations, started))

    def _matching_files(self) -> MatchingFiles:
        """The files that meet what the filter asks of documents, with the grants of the moment."""
        run = self.run
        return run.timed(
            "metadata",
            lambda: run.ports.grants.matching(run.principal, run.collections, run.on_documents, limit=MAX_NAMED_FILES),
        )

    def _narrowed(self, known: MatchingFiles | None) -> Filter:
        """The filter, with the files that meet it as far as they are named."""
        if known is None or known.file_ids is None:
            return self.run.where
        named = Condition(FilterField.document_id, Comparison.within, tuple(map(str, known.file_ids)))
        return AllOf((self.run.where, named))

    def _step(
        self, question: str, passages: Sequence[Passage], max_citations: int
    ) -> Generator[SearchEvent, None, Step]:
        """Rerank, generate and check; without an answer where only passages are asked for."""
        started = perf_counter()
        config = self.run.request.config_metadata
        if self.run.streams and self.run.reranks:
            yield StageBegan(stage="rerank")
        passages = [
            passage for passage in rerank(self.run, question, passages) if passage.score >= config.min_confidence
        ]
        passages = with_neighbors(self.run, self.run.best(passages))
        if self.run.streams:
            yield PassagesFound(
                question=question, documents=found_documents(passages), query_results=query_results(passages)
            )
        return (yield from self._answered(question, passages, max_citations, started))

    def _answered(
        self, question: str, passages: Sequence[Passage], max_citations: int, started: float
    ) -> Generator[SearchEvent, None, Step]:
        """The step with its checked answer, as far as the bound of tokens allows to ask for it."""
        step = Step(question, tuple(passages), Answer(NOT_FOUND, ()), 0, perf_counter() - started)
        if not passages or self.run.request.config_metadata.retrieve_only:
            return step
        prompt = Prompt(question, self._read(passages), self.run.form, self.run.answer_options)
        if not self.budget.allows(self.run.ports.generator.reserve(prompt)):
            return replace(step, asked=False)
        answer, tokens = yield from self._generate(prompt, max_citations)
        seconds = perf_counter() - started
        return replace(step, answer=answer, tokens=tokens, seconds=seconds, read=tuple(prompt.passages))

    def _read(self, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        """What the generator reads of them."""
        read, length = distinct(passages), self.run.request.config_metadata.max_context_per_doc
        if self.run.reads_neighbors:
            read = in_reading_order(read)
        return tuple(shortened(passage, length) for passage in read)

    def _generate(self, prompt: Prompt, max_citations: int) -> Generator[SearchEvent, None, tuple[Answer, int]]:
        """A checked answer and the tokens it took."""
        run, generator = self.run, self.run.ports.generator
        if run.streams:
            yield StageBegan(stage="generation")
        if run.streams_text:
            return (yield from self.stream.answer(prompt, max_citations))
        draft = run.timed("generation", lambda: generator.generate(prompt))
        run.note_generator(draft.generator)
        run.cut_short = run.cut_short or draft.cut_short
        tokens = run.count_tokens(draft.tokens, self.budget.charge(draft.tokens.total))
        return check_citations(draft, prompt.passages, max_citations=max_citations), tokens


def _result(step: Generator[SearchEvent, None, Step]) -> Step:
    """The step of a search that tells nothing."""
    while True:
        try:
            next(step)
        except StopIteration as ended:
            result: Step = ended.value
            return result

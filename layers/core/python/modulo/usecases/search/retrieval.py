"""Retrieval: hits of the vector store, and which of them are live and visible to the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from time import perf_counter
from typing import TYPE_CHECKING

from modulo.domain.answers.answer import Prompt
from modulo.domain.files.file import DocumentInfo
from modulo.domain.retrieval.filters import HIT_FIELDS, Attribute, FilterField, conditions, holds
from modulo.domain.retrieval.grouping import document_count
from modulo.domain.retrieval.passage import LiveDocument, Passage
from modulo.domain.search.target import Target

if TYPE_CHECKING:
    from modulo.domain.collections.collection import EmbeddingModel, Space
    from modulo.domain.collections.grant import Grant, LiveDocuments, MatchingFiles
    from modulo.domain.retrieval.filters import Filter
    from modulo.domain.retrieval.passage import Hit
    from modulo.domain.retrieval.search_defaults import SearchDefaults
    from modulo.domain.tenancy.quota import Reservation
    from modulo.usecases.search.run import SearchRun
    from modulo.usecases.search.token_budget import TokenBudget

MAX_HITS = 1_000
"""Where a search is not widened any further."""
WIDENING = 8
_UNKNOWN = DocumentInfo()
Embedded = Mapping["EmbeddingModel", Mapping[str, Sequence[float]]]
"""Vectors by model and question."""


@dataclass(frozen=True, slots=True)
class FoundPassages:
    """The caller's present grants and the passages for each question."""

    grants: tuple[Grant, ...]
    passages: list[list[Passage]]
    complete: bool
    """Whether every hit was looked at, or enough met the filter."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The passages found for each question, and the question vectors that had to be made."""

    grants: tuple[Grant, ...]
    passages: Sequence[Sequence[Passage]]
    embedded: Embedded
    matching: MatchingFiles | None
    """The files that meet what the filter asks of documents, if it asks anything of them."""
    complete: bool
    """Whether nothing else was left to be checked against the filter."""
    unchanged: bool
    """Whether the collections are still as they were when retrieval began, so that the result may be cached."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The retrieval stage of one search."""

    run: SearchRun
    budget: TokenBudget

    def passages(self, grants: tuple[Grant, ...], vectors: Embedded, where: Filter) -> FoundPassages:
        """The live passages for each question that meet the filter; tokens of the answers are reserved.

        The vector store is asked for `where`. A search is widened where hits are of generations that are not live, or
        do not meet the filter. Where the grants name another space than was searched, the passages are of no use.

        Raises:
            NotFound: one of the collections is not visible to the caller.
            QuotaExceeded: too few tokens are left.
        """
        run, searched = self.run, searched_as(grants)
        wanted = max(run.max_passages, run.top_k, run.limits.rerank_candidates if run.reranks else 0)
        documents = run.top_k if run.by_document else 0
        least = {grant.space.collection_id: run.score_threshold(grant) for grant in grants}
        limit = wanted
        while True:
            hits = [self._hits(grants, question, vectors, limit, where) for question in run.questions]
            use = any(grant.expires for grant in grants)
            live = run.timed("documents", lambda: self._live(hits, use=use))  # noqa: B023 - run at once
            passages = [self._live_passages(found, live) for found in hits]
            enough = all(
                len(found) < limit or (len(one) >= wanted and document_count(one) >= documents)
                for one, found in zip(passages, hits, strict=True)
            )
            if enough or limit >= MAX_HITS or searched_as(live.grants) != searched:
                near = [
                    [one for one in found if one.hit.score >= least[one.hit.ref.collection_id]] for found in passages
                ]
                cut = [found if run.by_document else found[:wanted] for found in near]
                return FoundPassages(live.grants, cut, enough)
            limit = min(MAX_HITS, limit * WIDENING)

    def _hits(
        self, grants: tuple[Grant, ...], question: str, vectors: Embedded, limit: int, where: Filter
    ) -> list[Hit]:
        run, started = self.run, perf_counter()
        targets = [
            Target(grant.space, vectors.get(grant.space.model, {}).get(question, ()), run.ranking(grant))
            for grant in grants
        ]
        hits = run.timed(
            "retrieval", lambda: run.ports.vectors.search(targets, question=question, limit=limit, where=where)
        )
        run.ports.metrics.observe("milvus_search_duration_seconds", perf_counter() - started)
        return hits

    def _live_passages(self, hits: Sequence[Hit], live: LiveDocuments) -> list[Passage]:
        """The hits whose generation is the live one, and which meet the filter."""
        passages = (
            Passage(hit, document)
            for hit in hits
            if (document := live.documents.get(hit.ref.file_id)) and document.generation == hit.ref.generation
        )
        return [passage for passage in passages if meets(self.run.where, passage)]

    def _live(self, hits: Sequence[Sequence[Hit]], *, use: bool) -> LiveDocuments:
        """One statement: the grants, the live documents among the hits, and the reservation of tokens."""
        run = self.run
        file_ids = sorted({hit.ref.file_id for found in hits for hit in found}, key=str)
        reservation = self._reservation(hits)
        live = run.ports.grants.live_documents(
            run.principal,
            run.collections,
            file_ids,
            reservation=reservation,
            use=use,
            conditions=[condition for condition in conditions(run.where) if condition.field not in HIT_FIELDS],
        )
        if reservation is not None:
            self.budget.record(reservation, reserved=live.reserved)
        return live

    def _reservation(self, hits: Sequence[Sequence[Hit]]) -> Reservation | None:
        """The tokens that the answers may take at most, but for those that are reserved already."""
        run = self.run
        if run.request.config_metadata.retrieve_only:
            return None
        prompts = [self._largest_prompt(question, found) for question, found in zip(run.questions, hits, strict=True)]
        reserve = run.ports.generator.reserve
        needs = [reserve(prompt) for prompt in prompts if prompt.passages]
        return self.budget.reservation(self.budget.needed(needs))

    def _largest_prompt(self, question: str, hits: Sequence[Hit]) -> Prompt:
        """The prompt of those hits that take most tokens: reranking may choose any."""
        most, reserve = self.run.max_passages, self.run.ports.generator.reserve
        length = self.run.request.config_metadata.max_context_per_doc
        passages = [shortened(_assumed_live(hit), length) for hit in hits]
        if len(passages) > most:
            passages = nlargest(most, passages, key=lambda passage: reserve(Prompt(question, (passage,))))
        more_tokens = self.run.context_tokens if self.run.reads_neighbors else 0
        return Prompt(question, tuple(passages), options=self.run.answer_options, more_tokens=more_tokens)


def searched_as(grants: Sequence[Grant]) -> list[tuple[Space, SearchDefaults]]:
    """Where the collections are searched, and how unless the request says."""
    return [(grant.space, grant.defaults) for grant in grants]


def shortened(passage: Passage, max_characters: int) -> Passage:
    """The passage with as many characters as an answer may rest on, cut between words."""
    if len(passage.text) <= max_characters:
        return passage
    text = passage.text[:max_characters]
    text = text[: text.rfind(" ")] if " " in text else text
    chunk = passage.hit.chunk
    end = chunk.end - (len(chunk.text) - len(text))
    return replace(passage, hit=replace(passage.hit, chunk=replace(chunk, text=text, end=end)))


def meets(where: Filter, passage: Passage) -> bool:
    """Whether a passage meets the filter: its document says which conditions on documents it meets."""
    hit, of_document = passage.hit, iter(passage.document.met)
    values: dict[FilterField | Attribute, str | int] = {
        FilterField.document_id: str(hit.ref.file_id),
        FilterField.page_number: hit.chunk.page,
        FilterField.heading: hit.chunk.heading,
    }
    return holds(
        where,
        (
            condition.holds(values[condition.field]) if condition.field in values else next(of_document)
            for condition in conditions(where)
        ),
    )


def _assumed_live(hit: Hit) -> Passage:
    """The passage that a hit becomes if its document is live."""
    document = LiveDocument(
        file_id=hit.ref.file_id,
        generation=hit.ref.generation,
        name=hit.source,
        chunk_count=0,
        info=_UNKNOWN,
        created_at="",
    )
    return Passage(hit, document)

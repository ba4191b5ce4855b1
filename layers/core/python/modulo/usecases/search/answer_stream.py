"""The answer of a streamed search, told while a model writes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from modulo.domain.answers.answer import CitedPassage, TokenUsage
from modulo.domain.answers.citations import CitationCheck
from modulo.domain.search.repeated_lines import RepeatedLines
from modulo.domain.search.search import MARK
from modulo.domain.search.search_events import CitationVerified, PassagesFound, SearchEvent, TextChecked, TokensUsed
from modulo.usecases.search.citation import citation_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from uuid import UUID

    from modulo.domain.answers.answer import Answer, Prompt
    from modulo.domain.search.search import Citation, SearchOutput
    from modulo.usecases.search.run import SearchRun
    from modulo.usecases.search.token_budget import TokenBudget


@dataclass(slots=True)
class AnswerStream:
    """What was told of an answer: text and citations of all parts of the question."""

    run: SearchRun
    budget: TokenBudget
    text: str = ""
    places: dict[UUID, int] = field(default_factory=dict)
    """Of the passages of all parts by chunk, counted from 1: what marks in the whole answer name."""
    cited: set[int] = field(default_factory=set)
    """By place."""
    lines: RepeatedLines = field(default_factory=RepeatedLines)

    def answer(self, prompt: Prompt, max_citations: int) -> Generator[SearchEvent, None, tuple[Answer, int]]:
        """Tell of an answer what is certain, as soon as it is; then the checked answer and the tokens it took.

        Whatever ends it, the tokens used so far are charged.
        """
        for passage in prompt.passages:
            self.places.setdefault(passage.chunk_id, len(self.places) + 1)
        check = CitationCheck(prompt.passages, max_citations=max_citations)
        used, charged, cut_short = TokenUsage(), 0, False
        parts = self.run.ports.generator.stream(prompt)
        try:
            with self.run.timing("generation"):
                for part in parts:
                    used, cut_short = part.tokens, part.cut_short
                    self.run.note_generator(part.generator)
                    yield from self._told(check.feed(part.text), check.cited)
                yield from self._told(check.finish(cut_short=cut_short), check.cited)
                yield from self._text(self.lines.end_part())
        finally:
            parts.close()
            self.run.cut_short = self.run.cut_short or cut_short
            charged = self.run.count_tokens(used, self.budget.charge(used.total))
        return check.answer, charged

    def rest(self, output: SearchOutput) -> Iterator[SearchEvent]:
        """Where the search streams, what the whole answer has beyond what was told, such as that there is none.

        In any case the tokens that it took.
        """
        if output.answer is None:
            return
        if self.run.streams:
            yield from self._cited(output.citations)
            if rest := output.answer[len(self.text) :] if output.answer.startswith(self.text) else "":
                yield TextChecked(text=rest)
        yield TokensUsed(
            prompt_tokens=self.run.used.prompt,
            completion_tokens=self.run.used.completion,
            charged=output.metadata.tokens_used,
        )

    def cached(self, output: SearchOutput) -> Iterator[SearchEvent]:
        """Tell a result that is known already; this search used no tokens."""
        if not self.run.streams:
            return
        yield PassagesFound(
            question=self.run.request.question, documents=output.documents, query_results=output.query_results
        )
        if output.answer is not None:
            yield from self._cited(output.citations)
            yield TextChecked(text=output.answer)
            yield TokensUsed(prompt_tokens=0, completion_tokens=0, charged=0)

    def _told(self, text: str, cited: Sequence[CitedPassage]) -> Iterator[SearchEvent]:
        """The next checked text of the answer to one part, with the citations that it has before any other."""
        if not text:
            return
        marks = {one.mark: self.places[one.passage.chunk_id] for one in cited}
        placed = [replace(one, mark=marks[one.mark]) for one in cited]
        yield from self._cited(citation_of(one) for one in placed)
        text = MARK.sub(lambda mark: f"[{marks.get(int(mark[1]), mark[1])}]", text)
        yield from self._text(self.lines.feed(text))

    def _text(self, text: str) -> Iterator[SearchEvent]:
        if text:
            self.text += text
            yield TextChecked(text=text)

    def _cited(self, citations: Iterable[Citation]) -> Iterator[SearchEvent]:
        for citation in citations:
            if citation.mark not in self.cited:
                self.cited.add(citation.mark)
                yield CitationVerified(citation=citation)

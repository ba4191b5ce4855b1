"""What a streamed search tells, as it happens; every door maps the same events to its own protocol.

In order: for each part of the question `StageBegan("rerank")` and `PassagesFound`; where an answer is asked for,
`StageBegan("generation")`, then `CitationVerified` and `TextChecked` by turns: a citation comes before the first text
that holds its mark [n]. At the end `TokensUsed` and `Answered`. A result from the cache, and a search for passages
only, leave out what they do not do. All of an answer's `TextChecked` joined are `Answered.output.answer`.

An error is raised in their place, as a `ModuloError`: before the first event, nothing was told and a door can answer
with a status of its own; behind it, the answer ends unfinished.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from modulo.domain.answers.answer import TokenUsage
from modulo.domain.model import FrozenModel
from modulo.domain.search.search import Citation, FoundDocument, QueryResult, SearchOutput


class StageBegan(FrozenModel):
    """A stage that takes a while begins: `rerank` or `generation`."""

    event: ClassVar[str] = "stage"
    stage: str


class PassagesFound(FrozenModel):
    """The passages for the question, or for a part of it, best first."""

    event: ClassVar[str] = "passages"
    question: str
    documents: tuple[FoundDocument, ...]
    query_results: tuple[QueryResult, ...]


class CitationVerified(FrozenModel):
    """A citation that was checked against its passage."""

    event: ClassVar[str] = "citation"
    citation: Citation


class TextChecked(FrozenModel):
    """The answer's next sentences, whose citations hold; marks count the passages of all parts in their order."""

    event: ClassVar[str] = "text"
    text: str


class TokensUsed(FrozenModel):
    """The tokens that the answer took, as the model's provider counts them; `charged` count against the quota."""

    event: ClassVar[str] = "usage"
    prompt_tokens: int
    completion_tokens: int
    charged: int

    @property
    def tokens(self) -> TokenUsage:
        """Those of the prompt and of the answer together."""
        return TokenUsage(self.prompt_tokens, self.completion_tokens)


class Answered(FrozenModel):
    """The search is over; its output is what a search that is not streamed answers."""

    event: ClassVar[str] = "done"
    output: SearchOutput


class AnswerKept(FrozenModel):
    """In a conversation, before `Answered`: question and answer were stored in it, under these ids."""

    event: ClassVar[str] = "kept"
    conversation_id: UUID
    question_id: UUID
    answer_id: UUID


SearchEvent = StageBegan | PassagesFound | CitationVerified | TextChecked | TokensUsed | Answered
ConversationEvent = SearchEvent | AnswerKept

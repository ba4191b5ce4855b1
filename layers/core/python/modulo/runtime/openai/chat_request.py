"""Requests for chat completions: which fields are honoured, and what they ask of the search."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator

from modulo.domain.answers.answer_options import AnswerOptions
from modulo.domain.conversations.conversation import MessageRole, MessageText
from modulo.domain.errors import InvalidRequest
from modulo.domain.request_model import RequestModel
from modulo.domain.search.search import SearchInput
from modulo.runtime.openai.dialogue import Dialogue
from modulo.runtime.openai.fields import (
    Nothing,
    One,
    StoreIds,
    Temperature,
    TextPart,
    Zero,
    text_of,
    without_nulls,
)

MAX_MESSAGES: Final = 1_000
UNSUPPORTED: Final = frozenset(
    {
        *("audio", "function_call", "functions", "logit_bias", "metadata", "moderation", "prediction"),
        *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort"),
        *("safety_identifier", "seed", "stop", "top_logprobs", "user", "verbosity", "web_search_options"),
    }
)
"""Fields of OpenAI's that stand for what is not done here."""
OF_ANSWERS: Final = frozenset(("refusal", "audio", "function_call", "tool_calls"))
"""Fields of an answer that are null in those of this door, and come back with it."""


def _text(content: object) -> object:
    return text_of(content)


class ChatMessage(RequestModel):
    """What somebody said. `annotations` are those of an answer of this door that is sent back; they ask for nothing."""

    role: MessageRole
    content: (
        Annotated[MessageText, BeforeValidator(_text, json_schema_input_type=MessageText | list[TextPart])] | None
    ) = None
    annotations: tuple[dict[str, Any], ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return without_nulls(given, OF_ANSWERS)


class StreamOptions(RequestModel):
    """Whether the tokens are told in a last chunk."""

    include_usage: bool = False
    include_obfuscation: Literal[False] = False


class TextFormat(RequestModel):
    """Answers are text."""

    type: Literal["text"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and how it is to be answered."""

    question: str
    options: AnswerOptions

    def of(self, collection_ids: tuple[UUID, ...]) -> SearchInput:
        """The search of these collections."""
        return SearchInput(question=self.question, collection_ids=collection_ids)


class CreateChatCompletion(RequestModel):
    """A question to a collection, with the messages before it.

    `vector_store_ids` are the collections where several are meant, or the model is no collection. Fields that stand for
    other formats or for tools have one value each.
    """

    model: str = Field(min_length=1, max_length=300)
    messages: tuple[ChatMessage, ...] = Field(
        min_length=1, max_length=MAX_MESSAGES, description="the last is the question"
    )
    vector_store_ids: StoreIds | None = None
    max_completion_tokens: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1, description="the same by its older name")
    temperature: Temperature | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    top_p: One | None = None
    frequency_penalty: Zero | None = None
    presence_penalty: Zero | None = None
    logprobs: Literal[False] | None = None
    store: Literal[False] | None = None
    response_format: TextFormat | None = None
    modalities: tuple[Literal["text"], ...] | None = Field(default=None, min_length=1)
    tools: Nothing | None = None
    tool_choice: Literal["none", "auto"] | None = None
    parallel_tool_calls: bool | None = None
    service_tier: Literal["auto", "default"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return without_nulls(given, UNSUPPORTED)

    def asked(self) -> Asked:
        """The question with all that is asked of its answer.

        Raises:
            InvalidRequest: the last message is no question, the instructions are too long, or two fields disagree.
        """
        if self.stream_options is not None and not self.stream:
            raise InvalidRequest.field("stream_options", "must not be given unless stream is true")
        said = Dialogue([(one.role, one.content or "") for one in self.messages], "messages")
        options = AnswerOptions(said.instructions(), said.turns(), self._bound(), self.temperature or 0.0)
        return Asked(said.question(), options)

    def _bound(self) -> int | None:
        named = {self.max_completion_tokens, self.max_tokens} - {None}
        if len(named) > 1:
            raise InvalidRequest.field("max_tokens", "must be what max_completion_tokens is, or left out")
        return named.pop() if named else None

"""Requests for responses: which fields are honoured, and what they ask of the search."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NotRequired
from uuid import UUID, uuid4

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from modulo.domain.answers.answer_options import AnswerOptions
from modulo.domain.conversations.conversation import MessageDraft, MessageRole, MessageText
from modulo.domain.conversations.response import AskedResponse
from modulo.domain.errors import InvalidRequest
from modulo.domain.labels import Labels
from modulo.domain.model import STORABLE
from modulo.domain.request_model import RequestModel
from modulo.domain.retrieval.search_defaults import MAX_INSTRUCTIONS
from modulo.domain.search.search import ConfigMetadata, Question
from modulo.runtime.openai.dialogue import Dialogue
from modulo.runtime.openai.fields import One, Temperature, text_of, without_nulls
from modulo.runtime.openai.file_search import FileSearch

MAX_ITEMS: Final = 100
TEXTS: Final = ("input_text", "output_text", "text")
UNSUPPORTED: Final = frozenset(
    {
        *("access_programs", "background_options", "context_management", "image", "moderation", "prompt"),
        *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier"),
        *("top_logprobs", "user"),
    }
)
"""Fields of OpenAI's that stand for what is not done here."""
OF_ITEMS: Final = frozenset({"phase"})
Choice = Literal["auto", "required", "file_search"]


class GivenText(TypedDict):
    """A part of a text that was given."""

    type: Literal["input_text", "text"]
    text: MessageText


class AnswerText(TypedDict):
    """The text of an answer that is sent back, with what the answer had beside it."""

    type: Literal["output_text"]
    text: MessageText
    annotations: NotRequired[Any]
    logprobs: NotRequired[Any]


class SearchCall(TypedDict):
    """A search that is sent back with its answer; nothing of it is read."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc] # as pydantic has it for a TypedDict
    type: Literal["file_search_call"]


class Reference(TypedDict):
    """A thing by its id."""

    id: UUID


class Chosen(TypedDict):
    """A tool by its type."""

    type: Choice


def _text(content: object) -> object:
    return text_of(content, *TEXTS)


class InputMessage(RequestModel):
    """What somebody said. Its id and status are those of an item that is sent back; they ask for nothing."""

    type: Literal["message"] = "message"
    role: MessageRole
    content: Annotated[
        MessageText, BeforeValidator(_text, json_schema_input_type=MessageText | list[GivenText | AnswerText])
    ]
    id: str | None = Field(default=None, max_length=100)
    status: Literal["in_progress", "completed", "incomplete"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return without_nulls(given, OF_ITEMS)

    def draft(self) -> MessageDraft:
        """The message about to be stored."""
        return MessageDraft(uuid4(), self.role, self.content)


def _items(given: Any) -> Any:
    """One text is a message of the user's; searches that come back with their answer ask for nothing."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list):
        return given
    return [one for one in given if not (isinstance(one, Mapping) and one.get("type") == "file_search_call")]


def _id(given: Any) -> Any:
    return given["id"] if isinstance(given, Mapping) and set(given) == {"id"} else given


def _choice(given: Any) -> Any:
    return given["type"] if isinstance(given, Mapping) and set(given) == {"type"} else given


class TextFormat(RequestModel):
    """Answers are text."""

    type: Literal["text"]


class TextConfig(RequestModel):
    """The form of an answer."""

    format: TextFormat | None = None


class ResponseStreamOptions(RequestModel):
    """Nothing can be chosen."""

    include_obfuscation: Literal[False] = False


_Items = Annotated[list[InputMessage | SearchCall], Field(min_length=1, max_length=MAX_ITEMS)]


class CreateResponse(RequestModel):
    """A question to vector stores, or to the collection that is the model. Other tools and formats are refused."""

    model: str = Field(default="modulo", min_length=1, max_length=300)
    input: Annotated[
        Annotated[tuple[InputMessage, ...], Field(min_length=1, max_length=MAX_ITEMS)],
        BeforeValidator(_items, json_schema_input_type=Question | _Items),
    ]
    instructions: Annotated[str, StringConstraints(max_length=MAX_INSTRUCTIONS, pattern=STORABLE)] | None = None
    tools: tuple[FileSearch, ...] | None = Field(default=None, max_length=1)
    tool_choice: Annotated[Choice, BeforeValidator(_choice, json_schema_input_type=Choice | Chosen)] | None = None
    include: tuple[Literal["file_search_call.results"], ...] | None = None
    previous_response_id: UUID | None = None
    conversation: Annotated[UUID, BeforeValidator(_id, json_schema_input_type=UUID | Reference)] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: ResponseStreamOptions | None = None
    max_output_tokens: int | None = Field(default=None, ge=1)
    max_tool_calls: int | None = Field(default=None, ge=1)
    metadata: Labels | None = None
    temperature: Temperature | None = None
    top_p: One | None = None
    text: TextConfig | None = None
    truncation: Literal["auto"] | None = None
    parallel_tool_calls: bool | None = None
    background: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return without_nulls(given, UNSUPPORTED)

    @property
    def vector_store_ids(self) -> tuple[UUID, ...] | None:
        """The collections that the tool names."""
        return self.tools[0].vector_store_ids if self.tools else None

    def asked(self) -> AskedResponse:
        """The question with all that is asked of its answer.

        Raises:
            InvalidRequest: the last message is no question, the filters are none, or two things are to be continued.
        """
        if self.previous_response_id and self.conversation:
            raise InvalidRequest.field("previous_response_id", "must not be given beside conversation")
        if self.stream_options is not None and not self.stream:
            raise InvalidRequest.field("stream_options", "must not be given unless stream is true")
        said = Dialogue([(one.role, one.content) for one in self.input], "input")
        return AskedResponse(
            id=uuid4(),
            question=said.question(),
            said=tuple(one.draft() for one in self.input),
            config=self.tools[0].config("tools.0") if self.tools else ConfigMetadata(),
            options=AnswerOptions(
                said.instructions(self.instructions), said.turns(), self.max_output_tokens, self.temperature or 0.0
            ),
            previous_id=self.previous_response_id,
            conversation_id=self.conversation,
            store=self.store is not False,
        )

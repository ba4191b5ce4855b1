"""Fields that several requests of the door have."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from modulo.domain.answers.answer_options import MAX_TEMPERATURE
from modulo.domain.conversations.conversation import MessageText
from modulo.domain.search.search import MAX_COLLECTIONS

OF_TEXTS: Final = frozenset({"annotations", "logprobs"})
"""What the text of an answer has beside it."""
Temperature = Annotated[float, Field(ge=0, le=MAX_TEMPERATURE)]
One = Annotated[float, Field(ge=1, le=1)]
Zero = Annotated[float, Field(ge=0, le=0)]
Nothing = Annotated[tuple[()], Field(max_length=0)]
"""A list that has to be empty."""


def _distinct(given: Any) -> Any:
    return (
        list(dict.fromkeys(given)) if isinstance(given, list) and all(isinstance(one, str) for one in given) else given
    )


class TextPart(TypedDict):
    """A part of a text as `text_of` reads it, for the API's description."""

    type: Literal["text"]
    text: MessageText


StoreIds = Annotated[
    Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MAX_COLLECTIONS)], BeforeValidator(_distinct)
]


def without_nulls(given: Any, unsupported: Collection[str]) -> Any:
    """The body without those unsupported fields that ask for nothing; all others are refused by their names."""
    if not isinstance(given, Mapping):
        return given
    return {name: value for name, value in given.items() if value is not None or name not in unsupported}


def text_of(content: object, *types: str) -> object:
    """A text, also where it comes as parts that are all text, of one of the types; `text` where none are named."""
    if not isinstance(content, list):
        return content
    if not all(_is_text(part, types or ("text",)) for part in content):
        raise ValueError("must be text: nothing else can be read")
    return "\n".join(str(part["text"]) for part in content)


def _is_text(part: object, types: Sequence[str]) -> bool:
    """Whether a part is a text, or the text of an answer that is sent back with what the answer had beside it."""
    if not isinstance(part, Mapping) or part.get("type") not in types or not isinstance(part.get("text"), str):
        return False
    return set(part) - {"type", "text"} <= (OF_TEXTS if part["type"] == "output_text" else frozenset())

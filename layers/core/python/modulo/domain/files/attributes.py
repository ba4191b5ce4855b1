"""Attributes: what users say of their files, as typed values by key."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from modulo.domain.model import STORABLE
from modulo.domain.text.dates import interval_start, microseconds
from modulo.domain.text.unicode_text import hidden_positions, is_well_formed

MAX_ATTRIBUTES: Final = 16
MAX_KEY_CHARACTERS: Final = 64
MAX_TEXT_CHARACTERS: Final = 512
MAX_LIST_ITEMS: Final = 64
MAX_BYTES: Final = 16_384
"""Of all attributes of a file, as JSON."""
MAX_NUMBER: Final = 2**53
"""Above it, JSON readers in many languages mistake whole numbers for others."""

KEYS: Final[Any] = {"minLength": 1, "maxLength": MAX_KEY_CHARACTERS, "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"}
"""What a schema can say of keys: `checked_key` also knows characters that show nothing only beside some others."""

AttributeValue = str | bool | int | float | tuple[str, ...]
"""A text, a number, a boolean or a list of texts; a text that is an ISO 8601 date is a date, too."""


def checked_key(key: str) -> str:
    """The key of an attribute.

    Raises:
        ValueError: it is too short, too long, or holds what nobody sees.
    """
    if not 0 < len(key) <= MAX_KEY_CHARACTERS:
        raise ValueError(f"a key has 1 to {MAX_KEY_CHARACTERS} characters")
    if next(hidden_positions(key), None) is not None:
        raise ValueError("a key holds no control characters or others that show nothing")
    return key


def is_number(value: object) -> bool:
    """Whether it is a number that every store and every client keeps as it is; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER


def is_storable(text: str) -> bool:
    """Whether Postgres can store the text: it holds no NUL and no unpaired surrogate."""
    return "\0" not in text and is_well_formed(text)


def _checked_value(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        if len(value) > MAX_LIST_ITEMS or not all(isinstance(item, str) for item in value):
            raise ValueError(f"a list holds at most {MAX_LIST_ITEMS} texts")
        return tuple(_checked_text(item) for item in value)
    if isinstance(value, str):
        return _checked_text(value)
    if not is_number(value):
        raise ValueError("must be a text, a number, a boolean or a list of texts; a number is at most 2^53")
    return value


def _checked_text(text: str) -> str:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise ValueError(f"a text has at most {MAX_TEXT_CHARACTERS} characters")
    if not is_storable(text):
        raise ValueError("a text holds no NUL and no unpaired surrogate")
    return text


def _checked_size(attributes: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
    if len(json.dumps(attributes, ensure_ascii=False).encode()) > MAX_BYTES:
        raise ValueError(f"all attributes of a file take at most {MAX_BYTES} bytes")
    return attributes


_Text = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS, pattern=STORABLE)]
Single = _Text | bool | Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
"""A value that is no list, for the API's description."""
_Listed = Annotated[tuple[_Text, ...], Field(max_length=MAX_LIST_ITEMS)]

Attributes = Annotated[
    Mapping[
        Annotated[str, AfterValidator(checked_key)],
        Annotated[AttributeValue, BeforeValidator(_checked_value, json_schema_input_type=Single | _Listed)],
    ],
    Field(
        max_length=MAX_ATTRIBUTES,
        json_schema_extra={"propertyNames": KEYS},
        description="what you say of the file: up to 16 keys of at most 64 characters, each with a text of at most 512 "
        "characters, a number, a boolean or a list of texts; a text that is an ISO 8601 date is compared as one",
    ),
    AfterValidator(_checked_size),
]
"""As a request gives them."""


def dates_in(attributes: Mapping[str, AttributeValue]) -> dict[str, int]:
    """The attributes that are dates: the start of what each names, as `microseconds`."""
    starts = {key: interval_start(value) for key, value in attributes.items() if isinstance(value, str)}
    return {key: microseconds(start) for key, start in starts.items() if start is not None}

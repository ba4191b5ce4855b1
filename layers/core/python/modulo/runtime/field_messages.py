"""What is wrong with a field of a request, in the words that the service's own checks use."""

from collections.abc import Mapping
from typing import Any, Final

from modulo.domain.model import STORABLE, VISIBLE

EMPTY: Final = "must not be empty"
WITH_NUL: Final = "must not hold NUL (U+0000)"
_WORDS: Final = {
    "missing": "is required",
    "extra_forbidden": "is not known here: check its spelling",
    "missing_argument": "is required",
    "unexpected_keyword_argument": "is not known here: check its spelling",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be more than {gt}",
    "less_than": "must be less than {lt}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "value_error": "{error}",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "mapping_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "uuid_type": "must be an id (UUID)",
    "uuid_parsing": "must be an id (UUID)",
}
"""By the type of one of Pydantic's errors; what is rare keeps Pydantic's own words."""


def message_of(error: Mapping[str, Any]) -> str:
    """The words for one of Pydantic's errors, to follow the field's name."""
    context = error.get("ctx") or {}
    pattern = context.get("pattern")
    if pattern in (STORABLE, VISIBLE) and "\0" in str(error.get("input")):
        return WITH_NUL
    if context.get("min_length") == 1 or pattern == VISIBLE:
        return EMPTY
    words = _WORDS.get(error["type"])
    return str(error["msg"]) if words is None else words.format_map(context)

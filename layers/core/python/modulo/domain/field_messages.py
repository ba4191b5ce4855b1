"""What is wrong with a field of what somebody wrote, in the words that the service's own checks use."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from modulo.domain.model import MD5, ONE_LINE, SHA256, STORABLE, VISIBLE

EMPTY: Final = "must not be empty"
WITH_NUL: Final = "must not hold NUL (U+0000)"
_PATTERNS: Final = {
    ONE_LINE: "must hold no control characters",
    SHA256: "must be 64 hexadecimal digits",
    MD5: "must be 32 hexadecimal digits",
}
_WORDS: Final = {
    "missing": "is required",
    "extra_forbidden": "is not known here: check its spelling, or leave it out",
    "missing_argument": "is required",
    "unexpected_keyword_argument": "is not known here: check its spelling, or leave it out",
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
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "is required",
    "json_invalid": "must be valid JSON",
    "json_type": "must be valid JSON",
    "string_type": "must be a text",
    "string_pattern_mismatch": "must match {pattern}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a whole number of fewer digits",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
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
    "datetime_type": "must be a time",
    "datetime_parsing": "must be a time such as 2020-05-31T10:00:00Z",
    "datetime_from_date_parsing": "must be a time such as 2020-05-31T10:00:00Z",
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
    words = _PATTERNS.get(str(pattern)) or _WORDS.get(error["type"])
    return str(error["msg"]) if words is None else words.format_map(context)


def messages_of(errors: Sequence[Mapping[str, Any]]) -> str:
    """All of Pydantic's errors on one line, each behind its field; what is wrong as a whole has none."""
    return "; ".join(": ".join(filter(None, (_path(error), message_of(error)))) for error in errors)


def _path(error: Mapping[str, Any]) -> str:
    return ".".join(map(str, error["loc"]))

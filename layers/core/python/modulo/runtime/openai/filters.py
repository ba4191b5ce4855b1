"""Filters of this door, whose keys are those of attributes, in the language of `/api`."""

from collections.abc import Mapping
from typing import Any, Final

from modulo.domain.errors import InvalidRequest
from modulo.domain.retrieval.filter_language import PREFIX, parse_filters

GROUPS: Final = ("and", "or")
COMPARISONS: Final = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains", "starts_with", "exists")


def own_filters(filters: Mapping[str, Any] | None, at: str) -> dict[str, Any]:
    """Comparisons and their groups with each key named as an attribute's; `at` is the field.

    Raises:
        InvalidRequest: it is no such filter.
    """
    if filters is None:
        return {}
    parse_filters(filters, at=at, attributes_only=True)
    return _named(filters, at)


def _named(given: Mapping[str, Any], at: str) -> dict[str, Any]:
    kind = given.get("type")
    if kind in GROUPS:
        inner = [_named(one, f"{at}.filters.{number}") for number, one in enumerate(given["filters"])]
        return {**given, "filters": inner}
    if kind == "not":
        return {**given, "filter": _named(given["filter"], f"{at}.filter")}
    if kind in COMPARISONS:
        return {**given, "key": PREFIX + given["key"]}
    raise InvalidRequest.field(f"{at}.type", f"must be one of {', '.join((*COMPARISONS, *GROUPS, 'not'))}")

"""Metadata filters: parsed here into conditions that adapters translate, never passed on as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from modulo.domain.errors import InvalidRequest

MAX_VALUES = 100
MAX_TEXT = 500


class FilterField(StrEnum):
    """The fields of a chunk that a search may filter on."""

    document_id = "document_id"
    source = "source"
    media_type = "media_type"
    page_number = "page_number"


class Comparison(StrEnum):
    """How a field is compared; `within` takes several values, the others one."""

    within = "in"
    gte = "gte"
    lte = "lte"
    gt = "gt"
    lt = "lt"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; a search's conditions must all hold."""

    field: FilterField
    comparison: Comparison
    values: tuple[str | int, ...]


def parse_filters(filters: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Conditions from a request's `filters`.

    A field maps to one value, to a list of values of which one must match, or, for page_number,
    to an object of bounds such as {"gte": 3, "lt": 10}.

    Raises:
        InvalidRequest: an unknown field, an unknown comparison, or a value of the wrong type.
    """
    conditions: list[Condition] = []
    for name, wanted in filters.items():
        at = f"config_metadata.filters.{name}"
        if name not in FilterField.__members__:
            raise InvalidRequest.field(at, f"unknown field; known are {', '.join(FilterField)}")
        field = FilterField[name]
        if isinstance(wanted, Mapping):
            conditions += _bounds(field, wanted, at)
        else:
            many = wanted if isinstance(wanted, list | tuple) else [wanted]
            conditions.append(Condition(field, Comparison.within, _values(field, many, at)))
    return tuple(conditions)


def sources(conditions: Sequence[Condition]) -> list[str]:
    """The names of files that the conditions hold."""
    return [str(name) for one in conditions if one.field is FilterField.source for name in one.values]


def renamed(conditions: Sequence[Condition], names: Mapping[str, str]) -> tuple[Condition, ...]:
    """The conditions with the names of files in place of their aliases."""
    return tuple(
        replace(one, values=tuple(names.get(str(name), name) for name in one.values))
        if one.field is FilterField.source
        else one
        for one in conditions
    )


def _bounds(field: FilterField, bounds: Mapping[str, Any], at: str) -> list[Condition]:
    if field is not FilterField.page_number:
        raise InvalidRequest.field(at, "takes a value or a list of values")
    conditions = []
    for name, value in bounds.items():
        if name == Comparison.within or name not in list(Comparison):
            raise InvalidRequest.field(f"{at}.{name}", "unknown comparison; known are gte, lte, gt, lt")
        conditions.append(Condition(field, Comparison(name), _values(field, [value], f"{at}.{name}")))
    return conditions


def _values(field: FilterField, values: Sequence[Any], at: str) -> tuple[str | int, ...]:
    if not 1 <= len(values) <= MAX_VALUES:
        raise InvalidRequest.field(at, f"takes 1 to {MAX_VALUES} values")
    return tuple(_value(field, value, at) for value in values)


def _value(field: FilterField, value: Any, at: str) -> str | int:
    if field is FilterField.page_number:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
            raise InvalidRequest.field(at, "must be a whole number from 0")
        return value
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise InvalidRequest.field(at, f"must be a text of 1 to {MAX_TEXT} characters")
    if field is FilterField.document_id:
        try:
            return str(UUID(value))
        except ValueError:
            raise InvalidRequest.field(at, "must be a file's id") from None
    return value

"""Metadata filters: parsed here into conditions that adapters translate, never passed on as text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import contains, ge, gt, le, lt
from typing import Any
from uuid import UUID

from modulo.domain.dates import span
from modulo.domain.errors import InvalidRequest
from modulo.domain.outline import BETWEEN_HEADINGS

MAX_VALUES = 100
MAX_TEXT = 500
MOST_DOCUMENTS = 1_000
"""Among how many documents a search can look for passages, where it chooses them by what they say of themselves."""


class FilterField(StrEnum):
    """What a search may filter on, of chunks and of documents."""

    document_id = "document_id"
    source = "source"
    media_type = "media_type"
    page_number = "page_number"
    heading = "heading"
    document_title = "title"  # a text has a method of the short name
    author = "author"
    language = "language"
    creation_date = "creation_date"
    mod_date = "mod_date"
    created_at = "created_at"


OF_CHUNKS = (FilterField.document_id, FilterField.media_type, FilterField.page_number, FilterField.heading)
"""What each chunk carries; the rest is asked of the metadata."""
DATES = (FilterField.creation_date, FilterField.mod_date, FilterField.created_at)
_TEXTS = (FilterField.heading, FilterField.document_title, FilterField.author)


class Comparison(StrEnum):
    """How a field is compared; `within` takes several values, the others one."""

    within = "in"
    gte = "gte"
    lte = "lte"
    gt = "gt"
    lt = "lt"
    contains = "contains"


_ORDERS = (Comparison.gte, Comparison.lte, Comparison.gt, Comparison.lt)
_HOLDS: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.gte: ge,
    Comparison.lte: le,
    Comparison.gt: gt,
    Comparison.lt: lt,
    Comparison.contains: contains,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; a search's conditions must all hold.

    Dates are compared by gte and lt only. A heading is one of those above a chunk, or several that follow each other.
    """

    field: FilterField
    comparison: Comparison
    values: tuple[str | int | datetime, ...]

    def holds(self, value: str | int | datetime | None) -> bool:
        """Whether a value meets it, which one that is not known does not."""
        if value is None:
            return False
        if self.comparison is not Comparison.within:
            (bound,) = self.values
            return _HOLDS[self.comparison](value, bound)
        if self.field is FilterField.heading:
            return any(_framed(heading) in _framed(value) for heading in self.values)
        return value in self.values


def parse_filters(filters: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Conditions from a request's `filters`.

    A field maps to one value, to a list of values of which one must match, to bounds such as
    {"gte": 3, "lt": 10} for page_number and dates, or to {"contains": "words"} for headings, titles
    and authors. A date may tell its year, month, day, minute or second: all of it is meant.

    Raises:
        InvalidRequest: an unknown field, an unknown comparison, or a value of the wrong type.
    """
    conditions: list[Condition] = []
    for name, wanted in filters.items():
        at = f"config_metadata.filters.{name}"
        if name not in list(FilterField):
            raise InvalidRequest.field(at, f"unknown field; known are {', '.join(FilterField)}")
        field = FilterField(name)
        if isinstance(wanted, Mapping):
            conditions += _bounds(field, wanted, at)
        elif field in DATES:
            conditions += [*_dated(field, Comparison.gte, wanted, at), *_dated(field, Comparison.lte, wanted, at)]
        else:
            many = wanted if isinstance(wanted, list | tuple) else [wanted]
            conditions.append(Condition(field, Comparison.within, _values(field, many, at)))
    return tuple(conditions)


def of_documents(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Those that the metadata must be asked for."""
    return tuple(one for one in conditions if one.field not in OF_CHUNKS)


def within(conditions: Sequence[Condition], file_ids: Sequence[UUID]) -> tuple[Condition, ...]:
    """The conditions with the files that meet those of documents in place of these.

    Raises:
        InvalidRequest: they are more than a search can look through.
    """
    if len(file_ids) > MOST_DOCUMENTS:
        message = f"more than {MOST_DOCUMENTS:,} documents match: add a condition that fewer meet"
        raise InvalidRequest.field("config_metadata.filters", message)
    chosen = Condition(FilterField.document_id, Comparison.within, tuple(map(str, file_ids)))
    return (*(one for one in conditions if one.field in OF_CHUNKS), chosen)


def _framed(path: object) -> str:
    """Headings with the same signs before and behind each."""
    return f"{BETWEEN_HEADINGS}{path}{BETWEEN_HEADINGS}"


def _bounds(field: FilterField, bounds: Mapping[str, Any], at: str) -> list[Condition]:
    known = (Comparison.contains,) if field in _TEXTS else _ORDERS
    if field not in (FilterField.page_number, *DATES, *_TEXTS):
        raise InvalidRequest.field(at, "takes a value or a list of values")
    conditions = []
    for name, value in bounds.items():
        if name not in list(known):
            raise InvalidRequest.field(f"{at}.{name}", f"unknown comparison; known are {', '.join(known)}")
        if field in DATES:
            conditions += _dated(field, Comparison(name), value, f"{at}.{name}")
        else:
            conditions.append(Condition(field, Comparison(name), _values(field, [value], f"{at}.{name}")))
    return conditions


def _dated(field: FilterField, comparison: Comparison, said: Any, at: str) -> list[Condition]:
    """A bound by a date: where the stretch of time begins or ends that the date names."""
    found = span(said) if isinstance(said, str) else None
    if found is None:
        raise InvalidRequest.field(at, "must be a date such as 2020, 2020-05, 2020-05-31 or 2020-05-31T10:00:00Z")
    begin, end = found
    bound = end if comparison in (Comparison.gt, Comparison.lte) else begin
    kept = Comparison.gte if comparison in (Comparison.gte, Comparison.gt) else Comparison.lt
    return [Condition(field, kept, (bound,))]


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

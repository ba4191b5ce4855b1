"""The language of filters: a request's JSON is parsed into a tree, never passed on as text.

There are two forms, which may be mixed. The long one names each comparison: {"type": "and" | "or", "filters": [...]},
{"type": "not", "filter": {...}}, {"type": "eq" | "ne" | ..., "key": ..., "value": ...}. The short one maps keys to
what they have to be: {"author": "x", "page_number": {"gte": 3}}; all of it must hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from modulo.domain.errors import InvalidRequest
from modulo.domain.files.attributes import checked_key, is_number
from modulo.domain.retrieval.filters import (
    DATE_FIELDS,
    EVERYTHING,
    AllOf,
    Attribute,
    Comparison,
    Condition,
    Filter,
    FilterField,
    all_of,
    any_of,
    conditions,
    negation,
)
from modulo.domain.text.dates import interval

MAX_DEPTH = 8
"""How deep filters may stand in each other."""
MAX_CONDITIONS = 30
"""So that a search stays one statement of less than 16 KB: above that, RDS Proxy pins a client to a connection."""
MAX_FILTER_VALUES = 100
"""Of one comparison."""
MAX_ALL_VALUES = 500
MAX_VALUE_CHARACTERS = 512
PREFIX = "attributes."
"""Stands before the key of an attribute that has the name of a built-in field."""
_NEGATED = {"ne": "eq", "nin": "in"}
_EQUALITY = ("eq", "ne", "in", "nin")
_ORDERS = ("gt", "gte", "lt", "lte")
_TEXT_COMPARISONS = ("contains", "starts_with")
_COMPARISONS = (*_EQUALITY, *_ORDERS, *_TEXT_COMPARISONS, "exists")
_GROUPS = ("and", "or")
_TYPES = (*_GROUPS, "not", *_COMPARISONS)
_LONG_FORM = frozenset(("key", "filters", "filter"))
"""What makes a filter with a `type` one of the long form: read as attributes, a misspelled one would find nothing."""
_ALWAYS_THERE = (
    *(FilterField.document_id, FilterField.source, FilterField.media_type),
    *(FilterField.page_number, FilterField.created_at),
)
_Key = FilterField | Attribute


def parse_filters(
    filters: Mapping[str, Any], *, at: str = "config_metadata.filters", attributes_only: bool = False
) -> Filter:
    """The filter that a request asks for, of which `at` is the field.

    A key that is the name of a built-in field means that field, and every other an attribute; `attributes.<key>` always
    means an attribute. With `attributes_only` every key does.

    Raises:
        InvalidRequest: an unknown comparison, a value of the wrong type, or too much of all.
    """
    found = _Parser(attributes_only).filter(filters, at, 1)
    compared = list(conditions(found))
    if len(compared) > MAX_CONDITIONS or sum(len(one.values) for one in compared) > MAX_ALL_VALUES:
        raise InvalidRequest.field(at, f"holds more than {MAX_CONDITIONS} comparisons or {MAX_ALL_VALUES} values")
    return found


@dataclass(frozen=True, slots=True)
class _Parser:
    attributes_only: bool

    def filter(self, given: Any, at: str, depth: int) -> Filter:
        if not isinstance(given, Mapping):
            raise InvalidRequest.field(at, "must be a filter: an object")
        if depth > MAX_DEPTH:
            raise InvalidRequest.field(at, f"stands more than {MAX_DEPTH} filters deep")
        kind = given.get("type")
        if not isinstance(kind, str) or kind not in _TYPES:
            if isinstance(kind, str) and not _LONG_FORM.isdisjoint(given):
                raise InvalidRequest.field(f"{at}.type", f"unknown; known are {', '.join(_TYPES)}")
            return all_of([self._short(name, wanted, f"{at}.{name}") for name, wanted in given.items()])
        if kind == "not":
            return negation(self.filter(self._only(given, at, "filter")["filter"], f"{at}.filter", depth + 1))
        if kind in _GROUPS:
            inner = self._only(given, at, "filters")["filters"]
            if not isinstance(inner, list | tuple) or not 1 <= len(inner) <= MAX_CONDITIONS:
                raise InvalidRequest.field(f"{at}.filters", f"must be a list of 1 to {MAX_CONDITIONS} filters")
            parts = [self.filter(one, f"{at}.filters.{number}", depth + 1) for number, one in enumerate(inner)]
            return all_of(parts) if kind == "and" else any_of(parts)
        optional = {"value": True} if kind == "exists" else {}
        given = self._only({**optional, **given}, at, "key", "value")
        return self._compared(self._key(given["key"], f"{at}.key"), kind, given["value"], f"{at}.value")

    def _only(self, given: Mapping[str, Any], at: str, *names: str) -> Mapping[str, Any]:
        for name in given:
            if name not in ("type", *names):
                raise InvalidRequest.field(f"{at}.{name}", f"is no part of '{given['type']}'")
        for name in names:
            if name not in given:
                raise InvalidRequest.field(f"{at}.{name}", f"is missing: '{given['type']}' needs it")
        return given

    def _short(self, name: str, wanted: Any, at: str) -> Filter:
        key = self._key(name, at)
        if isinstance(wanted, Mapping):
            return all_of([self._compared(key, kind, value, f"{at}.{kind}") for kind, value in wanted.items()])
        return self._compared(key, "in" if isinstance(wanted, list | tuple) else "eq", wanted, at)

    def _key(self, name: Any, at: str) -> _Key:
        if not isinstance(name, str):
            raise InvalidRequest.field(at, "must be the name of a field or the key of an attribute")
        if not self.attributes_only:
            if name in list(FilterField):
                return FilterField(name)
            name = name.removeprefix(PREFIX)
        try:
            return Attribute(checked_key(name))
        except ValueError as error:
            raise InvalidRequest.field(at, str(error)) from None

    def _compared(self, key: _Key, kind: str, value: Any, at: str) -> Filter:
        if kind in _NEGATED:
            return negation(self._compared(key, _NEGATED[kind], value, at))
        known = _known(key)
        if kind not in known:
            raise InvalidRequest.field(at, f"unknown comparison; known are {', '.join(known)}")
        if kind == "exists":
            if not isinstance(value, bool):
                raise InvalidRequest.field(at, "must be true or false")
            there = EVERYTHING if key in _ALWAYS_THERE else Condition(key, Comparison.exists)
            return there if value else negation(there)
        if kind in ("eq", "in"):
            several = value if kind == "in" else [value]
            if not isinstance(several, list | tuple) or not 1 <= len(several) <= MAX_FILTER_VALUES:
                raise InvalidRequest.field(at, f"takes 1 to {MAX_FILTER_VALUES} values")
            return _within(key, several, at)
        if key in DATE_FIELDS:
            return _dated(key, Comparison(kind), value, at)
        if isinstance(key, Attribute) and kind in _ORDERS:
            return _ordered(key, Comparison(kind), value, at)
        return Condition(key, Comparison(kind), (_value(key, value, at, is_text=kind in _TEXT_COMPARISONS),))


def _known(key: _Key) -> Sequence[str]:
    """The comparisons that a field knows."""
    if isinstance(key, Attribute):
        return _COMPARISONS
    if key in (FilterField.page_number, *DATE_FIELDS):
        return (*_EQUALITY, *_ORDERS, "exists")
    return (*_EQUALITY, "exists") if key is FilterField.document_id else (*_EQUALITY, *_TEXT_COMPARISONS, "exists")


def _within(key: _Key, values: Sequence[Any], at: str) -> Filter:
    if key not in DATE_FIELDS:
        return Condition(key, Comparison.within, tuple(_value(key, value, at) for value in values))
    bounds = (Comparison.gte, Comparison.lte)
    return any_of([AllOf(tuple(_dated(key, bound, value, at) for bound in bounds)) for value in values])


def _ordered(key: Attribute, comparison: Comparison, value: Any, at: str) -> Condition:
    """An attribute's bound: a number, a date, or a text of any kind."""
    if isinstance(value, str) and interval(value) is not None:
        return _dated(key, comparison, value, at)
    if isinstance(value, bool):
        raise InvalidRequest.field(at, "must be a number, a date or a text")
    return Condition(key, comparison, (_value(key, value, at),))


def _dated(key: _Key, comparison: Comparison, value: Any, at: str) -> Condition:
    """A bound by a date: the start or the end of the interval that it names."""
    found = interval(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidRequest.field(at, "must be a date such as 2020, 2020-05, 2020-05-31 or 2020-05-31T10:00:00Z")
    begin, end = found
    bound = end if comparison in (Comparison.gt, Comparison.lte) else begin
    kept = Comparison.gte if comparison in (Comparison.gte, Comparison.gt) else Comparison.lt
    return Condition(key, kept, (bound,))


def _value(key: _Key, value: Any, at: str, *, is_text: bool = False) -> str | float | bool:
    if key is FilterField.page_number:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
            raise InvalidRequest.field(at, "must be a whole number from 0")
        return value
    if isinstance(key, Attribute) and not is_text and (isinstance(value, bool) or is_number(value)):
        known: float | bool = value
        return known
    least, others = (0, ", a number or a boolean") if isinstance(key, Attribute) and not is_text else (1, "")
    if not isinstance(value, str) or not least <= len(value) <= MAX_VALUE_CHARACTERS:
        raise InvalidRequest.field(at, f"must be a text of {least} to {MAX_VALUE_CHARACTERS} characters{others}")
    if key is FilterField.document_id:
        try:
            return str(UUID(value))
        except ValueError:
            raise InvalidRequest.field(at, "must be a file's id") from None
    return value

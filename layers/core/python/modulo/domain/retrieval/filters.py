"""Filters: a tree of conditions on passages and their documents, which each store translates in one place.

Every comparison either holds or does not: one with a value that is missing, or of another type, does not. So `ne`,
`nin` and `not` hold exactly where what they negate does not, also where the value is missing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import contains, ge, gt, le, lt
from typing import Any

from modulo.domain.documents.outline import BETWEEN_HEADINGS


class FilterField(StrEnum):
    """The built-in fields of chunks and documents that a search may filter on."""

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


PASSAGE_FIELDS = (FilterField.page_number, FilterField.heading)
"""Fields that differ between the chunks of a document; the metadata knows all others."""
HIT_FIELDS = (FilterField.document_id, *PASSAGE_FIELDS)
"""Fields that every hit of the vector store tells."""
CHUNK_FIELDS = (FilterField.media_type, *HIT_FIELDS)
"""Fields that are stored with each chunk."""
DATE_FIELDS = (FilterField.creation_date, FilterField.mod_date, FilterField.created_at)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of files, by its key."""

    key: str


class Comparison(StrEnum):
    """How a field is compared; `within` takes several values, `exists` none, the others one."""

    within = "in"
    gte = "gte"
    lte = "lte"
    gt = "gt"
    lt = "lt"
    contains = "contains"
    starts_with = "starts_with"
    exists = "exists"


_HOLDS: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.gte: ge,
    Comparison.lte: le,
    Comparison.gt: gt,
    Comparison.lt: lt,
    Comparison.contains: contains,
    Comparison.starts_with: str.startswith,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison.

    Dates are compared by gte and lt only. A heading is one of those above a chunk, or several that follow each other.
    """

    field: FilterField | Attribute
    comparison: Comparison
    values: tuple[str | float | bool | datetime, ...] = ()

    def holds(self, value: str | int) -> bool:
        """Whether a chunk's value meets it."""
        if self.comparison is Comparison.exists:
            return value != ""
        if self.comparison is not Comparison.within:
            (bound,) = self.values
            return _HOLDS[self.comparison](value, bound)
        if self.field is FilterField.heading:
            return any(_framed(heading) in _framed(value) for heading in self.values)
        return value in self.values


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds where all of them do."""

    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds where one of them does."""

    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where the other does not."""

    filter: "Filter"


Filter = Condition | AllOf | AnyOf | Not
EVERYTHING = AllOf(())
NOTHING = AnyOf(())


def all_of(filters: Iterable[Filter]) -> Filter:
    """All of them, in the shortest form."""
    kept = [one for one in filters if one != EVERYTHING]
    if NOTHING in kept:
        return NOTHING
    return kept[0] if len(kept) == 1 else AllOf(tuple(kept))


def any_of(filters: Iterable[Filter]) -> Filter:
    """One of them, in the shortest form."""
    kept = [one for one in filters if one != NOTHING]
    if EVERYTHING in kept:
        return EVERYTHING
    return kept[0] if len(kept) == 1 else AnyOf(tuple(kept))


def negation(negated: Filter) -> Filter:
    """What holds where the filter does not, in the shortest form."""
    match negated:
        case Not(inner):
            return inner
        case AllOf(()):
            return NOTHING
        case AnyOf(()):
            return EVERYTHING
    return Not(negated)


def conditions(found: Filter) -> Iterator[Condition]:
    """The conditions of a filter, from left to right."""
    if isinstance(found, Condition):
        yield found
    else:
        for part in (found.filter,) if isinstance(found, Not) else found.filters:
            yield from conditions(part)


def holds(found: Filter, met: Iterator[bool]) -> bool:
    """Whether a filter holds, given for each of its `conditions` whether that is met."""
    match found:
        case Condition():
            return next(met)
        case Not(inner):
            return not holds(inner, met)
    several = [holds(part, met) for part in found.filters]
    return all(several) if isinstance(found, AllOf) else any(several)


def weakened(found: Filter, known: Callable[[Condition, bool], bool], *, negated: bool = False) -> Filter:
    """A filter of none but known conditions that holds wherever this one does, and perhaps elsewhere.

    `known` is asked for each condition, and whether it stands under an odd number of negations.
    """
    match found:
        case Condition():
            if known(found, negated):
                return found
            return NOTHING if negated else EVERYTHING
        case Not(inner):
            return negation(weakened(inner, known, negated=not negated))
    parts = [weakened(part, known, negated=negated) for part in found.filters]
    return all_of(parts) if isinstance(found, AllOf) else any_of(parts)


def on_documents(found: Filter) -> Filter:
    """What the filter asks of documents: it holds for each that has a chunk which may meet the filter."""
    return weakened(found, lambda condition, _: condition.field not in PASSAGE_FIELDS)


def _framed(path: object) -> str:
    """A heading path with a separator before and after each heading."""
    return f"{BETWEEN_HEADINGS}{path}{BETWEEN_HEADINGS}"

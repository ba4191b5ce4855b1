"""Filter expressions in Milvus' language; every request has one, with tenant and collection in it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from modulo.domain.collections.collection import Space
from modulo.domain.documents.outline import BETWEEN_HEADINGS
from modulo.domain.retrieval.filters import (
    CHUNK_FIELDS,
    EVERYTHING,
    AllOf,
    Attribute,
    Comparison,
    Condition,
    Filter,
    FilterField,
    Not,
    weakened,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from modulo.domain.files.file import FileRef

_FIELDS: dict[FilterField | Attribute, str] = {
    FilterField.document_id: "file_id",
    FilterField.media_type: "media_type",
    FilterField.page_number: "page",
    FilterField.heading: "heading",
}
_OPERATORS = {Comparison.gte: ">=", Comparison.lte: "<=", Comparison.gt: ">", Comparison.lt: "<"}
_NEVER = "file_id in []"
_WILD = frozenset("%_\\")
_WILDCARDS = str.maketrans("%\\", "__")
"""Turns `%` and the backslash into `_`, which matches any character: escapes differ between versions of Milvus."""
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def filter_expression(
    space: Space | Sequence[Space],
    where: Filter = EVERYTHING,
    *,
    file_id: UUID | None = None,
    generation: int | None = None,
    numbers: range | None = None,
) -> str:
    """The filter of a request: tenant and collections, which are added nowhere else, and all further conditions.

    Of `where`, what a chunk alone can decide: the expression holds for every chunk that meets it, and for a few others.
    `numbers` is a range of chunk numbers with step 1; a negative stop leaves its end open.

    Raises:
        ValueError: the spaces are of several tenants, or there is none.
    """
    terms = _scope([space] if isinstance(space, Space) else space)
    if file_id is not None:
        terms.append(f"file_id == {literal(str(file_id))}")
    if generation is not None:
        terms.append(f"generation == {literal(generation)}")
    if numbers is not None:
        terms.append(f"number >= {literal(numbers.start)}")
        if numbers.stop >= 0:
            terms.append(f"number < {literal(numbers.stop)}")
    found = weakened(where, _is_known)
    if found != EVERYTHING:
        terms.append(_term(found))
    return " and ".join(terms)


def chunks_expression(spaces: Sequence[Space], numbers: Mapping[FileRef, Collection[int]]) -> str:
    """The filter of a request for chunks by their numbers; of generations in these spaces only.

    Raises:
        ValueError: the spaces are of several tenants, or there is none.
    """
    within = {(space.tenant_id, space.collection_id) for space in spaces}
    named = [
        f"(collection_id == {literal(str(ref.collection_id))} and file_id == {literal(str(ref.file_id))}"
        f" and generation == {literal(ref.generation)} and number in [{', '.join(map(literal, sorted(of_file)))}])"
        for ref, of_file in numbers.items()
        if (ref.tenant_id, ref.collection_id) in within and of_file
    ]
    return " and ".join((*_scope(spaces), f"({' or '.join(named)})" if named else _NEVER))


def _scope(spaces: Sequence[Space]) -> list[str]:
    """The tenant, and the collections."""
    tenants = {space.tenant_id for space in spaces}
    if len(tenants) != 1:
        raise ValueError("a request is of one tenant")
    ids = [literal(str(space.collection_id)) for space in spaces]
    chosen = f"== {ids[0]}" if len(ids) == 1 else f"in [{', '.join(ids)}]"
    return [f"tenant_id == {literal(str(tenants.pop()))}", f"collection_id {chosen}"]


def _is_known(condition: Condition, negated: bool) -> bool:
    """Whether it can be asked for: what matches too much must not be negated."""
    return condition.field in CHUNK_FIELDS and not (negated and _matches_others(condition))


def _matches_others(condition: Condition) -> bool:
    """Whether the patterns of a condition match more than what meets it."""
    return bool(_patterns(condition)) and any(
        not _WILD.isdisjoint(text) or text != storable(text) for text in map(str, condition.values)
    )


def _term(found: Filter) -> str:
    match found:
        case Condition():
            return _compared(found)
        case Not(inner):
            return f"not ({_term(inner)})"
    if not found.filters:
        return _NEVER
    operator = " and " if isinstance(found, AllOf) else " or "
    return f"({operator.join(map(_term, found.filters))})"


def _compared(condition: Condition) -> str:
    field = _FIELDS[condition.field]
    if condition.comparison is Comparison.exists:
        return f'{field} != ""'
    if patterns := _patterns(condition):
        return f"({' or '.join(f'{field} like {literal(pattern)}' for pattern in patterns)})"
    if condition.comparison is Comparison.within:
        return f"{field} in [{', '.join(map(literal, condition.values))}]"
    (value,) = condition.values
    return f"{field} {_OPERATORS[condition.comparison]} {literal(value)}"


def _patterns(condition: Condition) -> list[str]:
    """Patterns that match all texts that meet the condition and a few others; none where it needs no pattern."""
    texts = [str(value).translate(_WILDCARDS) for value in condition.values]
    if condition.comparison is Comparison.contains:
        return [f"%{text}%" for text in texts]
    if condition.comparison is Comparison.starts_with:
        return [f"{text}%" for text in texts]
    if condition.field is not FilterField.heading:
        return []
    above, below = f"%{BETWEEN_HEADINGS}", f"{BETWEEN_HEADINGS}%"
    return [pattern for text in texts for pattern in (text, text + below, above + text, above + text + below)]


def literal(value: object) -> str:
    """The value as a literal; texts are escaped, so that none can end the literal early.

    Raises:
        TypeError: the value is neither a text nor an integer.
    """
    if isinstance(value, str):
        return f'"{storable(value).translate(_ESCAPES)}"'
    if not isinstance(value, int):
        raise TypeError("only texts and integers are stored in Milvus")
    return str(int(value))


def storable(text: str) -> str:
    """The text in a form that UTF-8 can encode: lone surrogates become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

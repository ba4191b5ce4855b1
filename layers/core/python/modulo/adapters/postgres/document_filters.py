"""Filters in SQL: the conditions on documents, each in one place."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    FromClause,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from modulo.adapters.postgres.rules import printable
from modulo.adapters.postgres.tables import aliases, files, generations
from modulo.adapters.postgres.utc_timestamp import Moment
from modulo.domain.retrieval.filters import (
    DATE_FIELDS,
    AllOf,
    Attribute,
    Comparison,
    Condition,
    Filter,
    FilterField,
    Not,
)
from modulo.domain.text.dates import microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

_ORDERS = {Comparison.gte: ">=", Comparison.lte: "<=", Comparison.gt: ">", Comparison.lt: "<"}
_BEGINS: ColumnElement[Any] = literal_column("'$[*] ? (@ starts with $begin)'::jsonpath")
_named = files.alias("named")


def of_collections(table: FromClause) -> ColumnElement[bool]:
    """The rows of the tenant and the collections that the statement's parameters name."""
    ids = bindparam("collection_ids", type_=ARRAY(Uuid()))
    return and_(table.c.tenant_id == bindparam("tenant_id", type_=Uuid()), table.c.collection_id == any_(ids))


def meets(found: Filter) -> ColumnElement[bool]:
    """Whether a file, with its live generation, meets a filter on documents."""
    match found:
        case Condition():
            return is_met(found)
        case Not(inner):
            return not_(meets(inner))
    parts = [meets(part) for part in found.filters]
    return and_(true(), *parts) if isinstance(found, AllOf) else or_(false(), *parts)


def is_met(condition: Condition) -> ColumnElement[bool]:
    """Whether a condition on documents is met: true or false, never null."""
    field, within = condition.field, condition.comparison is Comparison.within
    if isinstance(field, Attribute):
        return _has_attribute(field.key, condition.values) if within else _known(_of_attribute(field.key, condition))
    if field in DATE_FIELDS:
        column = files.c.created_at if field is FilterField.created_at else generations.c[field.value]
        return _known(_dated(column, condition))
    match field:
        case FilterField.document_id:
            return files.c.id == any_(_array([UUID(str(value)) for value in condition.values], Uuid()))
        case FilterField.media_type:
            return _worded(generations.c.media_type, condition)
        case FilterField.source:
            return _is_named(condition)
    return _known(_worded(generations.c.document[field.value].astext, condition))


def _known(compared: ColumnElement[bool]) -> ColumnElement[bool]:
    """False where a value is missing."""
    return func.coalesce(compared, false())


def _is_named(condition: Condition) -> ColumnElement[bool]:
    """Whether one of the file's names meets it; by subqueries that are looked up by name where they can be."""
    names = select(_named.c.id).where(of_collections(_named), _named.c.deleted_at.is_(None))
    others = select(aliases.c.file_id).where(of_collections(aliases))
    named = (names.where(_worded(_named.c.name, condition)), others.where(_worded(aliases.c.name, condition)))
    return files.c.id.in_(union_all(*named))


def _worded(column: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    """A text compared."""
    if condition.comparison is Comparison.exists:
        return column.is_not(None)
    if condition.comparison is Comparison.within:
        return column == any_(_array(_storable(condition.values), Text()))
    (value,) = condition.values
    if not _storable([value]):
        return false()
    text = bindparam(None, value, type_=Text)
    return _holds_text(column, text) if condition.comparison is Comparison.contains else func.starts_with(column, text)


def _dated(column: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    if condition.comparison is Comparison.exists:
        return column.is_not(None)
    (value,) = condition.values
    return column.op(_ORDERS[condition.comparison], is_comparison=True)(bindparam(None, value, type_=Moment()))


def _has_attribute(key: str, values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether the attribute, or one of its texts, is one of the values; by the index."""
    known = _storable(values)
    wanted = [*({key: one} for one in known), *({key: [one]} for one in known if isinstance(one, str))]
    return files.c.attributes.op("@>", is_comparison=True)(any_(_array(wanted, JSONB())))


def _of_attribute(key: str, condition: Condition) -> ColumnElement[bool]:
    """An attribute compared as JSON, so that no value can fail a cast."""
    named = bindparam(None, key, type_=Text)
    value, text = files.c.attributes.op("->")(named), files.c.attributes.op("->>", return_type=Text())(named)
    comparison = condition.comparison
    if comparison is Comparison.exists:
        return value.is_not(None)
    (bound,) = condition.values
    if not _storable([bound]):
        return false()
    if comparison is Comparison.contains:
        inside = and_(_is_a(value, "string"), _holds_text(text, bindparam(None, bound, type_=Text)))
        return or_(inside, value.op("@>", is_comparison=True)(_json(bound)))
    if comparison is Comparison.starts_with:
        return func.jsonb_path_exists(value, _BEGINS, _json({"begin": bound}))
    return _ordered(named, _ORDERS[comparison], bound)


def _ordered(key: BindParameter[str], operator: str, bound: Any) -> ColumnElement[bool]:
    """An attribute before or behind a bound of its own type."""
    value = files.c.attributes.op("->")(key)
    if isinstance(bound, datetime):
        date = files.c.attribute_dates.op("->")(key)
        return date.op(operator, is_comparison=True)(_json(microseconds(bound)))
    if isinstance(bound, str):
        text = files.c.attributes.op("->>", return_type=Text())(key).collate("C")
        return and_(_is_a(value, "string"), text.op(operator, is_comparison=True)(bindparam(None, bound, type_=Text)))
    return and_(_is_a(value, "number"), value.op(operator, is_comparison=True)(_json(bound)))


def _is_a(value: ColumnElement[Any], kind: str) -> ColumnElement[bool]:
    return func.jsonb_typeof(value) == literal_column(f"'{kind}'")


def _holds_text(column: ColumnElement[Any], text: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.strpos(column, text) > 0


def _storable(values: Sequence[Any]) -> list[Any]:
    """Those that Postgres can hold, so that a file may have them."""
    return [value for value in values if not isinstance(value, str) or value == printable(value)]


def _array(values: Sequence[Any], kind: Any) -> BindParameter[Any]:
    return bindparam(None, list(values), type_=ARRAY(kind))


def _json(value: Any) -> BindParameter[Any]:
    return bindparam(None, value, type_=JSONB)

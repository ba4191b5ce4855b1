"""What a request's filters mean, and which are refused."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.errors import InvalidRequest
from modulo.domain.retrieval.filter_language import (
    MAX_ALL_VALUES,
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_FILTER_VALUES,
    parse_filters,
)
from modulo.domain.retrieval.filters import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    Attribute,
    Comparison,
    Condition,
    FilterField,
    Not,
    conditions,
)

BEGIN, END = datetime(2020, 5, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC)
GTE, LT, WITHIN = Comparison.gte, Comparison.lt, Comparison.within
TITLE, KEY = FilterField.document_title, Condition(Attribute("key"), WITHIN, ("k",))


def bounds(wanted: Any, key: str = "creation_date") -> list[tuple[Comparison, Any]]:
    return [(one.comparison, one.values[0]) for one in conditions(parse_filters({key: wanted}))]


@pytest.mark.parametrize("key", ["creation_date", "due"])
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"gte": "2020-05"}, [(GTE, BEGIN)]),
        ({"gt": "2020-05"}, [(GTE, END)]),
        ({"lt": "2020-05"}, [(LT, BEGIN)]),
        ({"lte": "2020-05"}, [(LT, END)]),
        ({"gt": "2020-05", "lte": "2020-05"}, [(GTE, END), (LT, END)]),
        ({}, []),
    ],
)
def test_bounds_mean_all_of_the_stretch_of_time_that_a_date_names(key: str, wanted: Any, expected: Any) -> None:
    assert bounds(wanted, key) == expected


def test_a_date_is_one_of_several_stretches_of_time() -> None:
    may = AllOf((Condition(FilterField.mod_date, GTE, (BEGIN,)), Condition(FilterField.mod_date, LT, (END,))))
    assert parse_filters({"mod_date": "2020-05"}) == parse_filters({"mod_date": ["2020-05"]}) == may
    assert parse_filters({"mod_date": {"ne": "2020-05"}}) == Not(may)
    assert parse_filters({"mod_date": {"in": ["2020-05", "2020-05"]}}) == AnyOf((may, may))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, EVERYTHING),
        ({"title": "a"}, Condition(TITLE, WITHIN, ("a",))),
        ({"title": ["a", "b"]}, Condition(TITLE, WITHIN, ("a", "b"))),
        ({"title": {"ne": "a"}}, Not(Condition(TITLE, WITHIN, ("a",)))),
        ({"title": {"nin": ["a", "b"]}}, Not(Condition(TITLE, WITHIN, ("a", "b")))),
        ({"title": {"exists": True}}, Condition(TITLE, Comparison.exists)),
        ({"title": {"exists": False}}, Not(Condition(TITLE, Comparison.exists))),
        ({"source": {"starts_with": "a"}}, Condition(FilterField.source, Comparison.starts_with, ("a",))),
        ({"page_number": {"in": [1, 2]}}, Condition(FilterField.page_number, WITHIN, (1, 2))),
        ({"source": {"exists": True}}, EVERYTHING),
        ({"page_number": {"exists": False}}, NOTHING),
        ({"department": "law"}, Condition(Attribute("department"), WITHIN, ("law",))),
        ({"document_id": "0" * 32}, Condition(FilterField.document_id, WITHIN, (str(UUID(int=0)),))),
        ({"attributes.author": ""}, Condition(Attribute("author"), WITHIN, ("",))),
        ({"attributes.attributes.a.b": True}, Condition(Attribute("attributes.a.b"), WITHIN, (True,))),
        ({"n": {"gt": 1.5}}, Condition(Attribute("n"), Comparison.gt, (1.5,))),
        ({"n": {"gt": "m"}}, Condition(Attribute("n"), Comparison.gt, ("m",))),
        ({"type": "report"}, Condition(Attribute("type"), WITHIN, ("report",))),
        ({"attributes.type": "r", "key": "k"}, AllOf((Condition(Attribute("type"), WITHIN, ("r",)), KEY))),
        ({"type": {"eq": "r"}, "key": "k"}, AllOf((Condition(Attribute("type"), WITHIN, ("r",)), KEY))),
        ({"type": ["report"]}, Condition(Attribute("type"), WITHIN, ("report",))),
        ({"type": "exists", "key": "a"}, Condition(Attribute("a"), Comparison.exists)),
        ({"type": "exists", "key": "a", "value": False}, Not(Condition(Attribute("a"), Comparison.exists))),
        ({"type": "eq", "key": "title", "value": "a"}, Condition(TITLE, WITHIN, ("a",))),
        ({"type": "eq", "key": "type", "value": "and"}, Condition(Attribute("type"), WITHIN, ("and",))),
        ({"type": "and", "filters": [{}, {"title": "a"}]}, Condition(TITLE, WITHIN, ("a",))),
        ({"type": "or", "filters": [{}, {"title": "a"}]}, EVERYTHING),
        ({"type": "not", "filter": {}}, NOTHING),
        ({"type": "not", "filter": {"type": "not", "filter": {"title": "a"}}}, Condition(TITLE, WITHIN, ("a",))),
        (
            {"type": "or", "filters": [{"title": "a"}, {"type": "lt", "key": "n", "value": 3}]},
            AnyOf((Condition(TITLE, WITHIN, ("a",)), Condition(Attribute("n"), LT, (3,)))),
        ),
    ],
)
def test_both_forms_are_parsed_into_one_tree(filters: dict[str, Any], expected: Any) -> None:
    assert parse_filters(filters) == expected


def test_where_there_are_but_attributes_each_key_is_one() -> None:
    found = parse_filters({"type": "eq", "key": "attributes.title", "value": "a"}, attributes_only=True)
    assert found == Condition(Attribute("attributes.title"), WITHIN, ("a",))
    assert parse_filters({"title": "a"}, attributes_only=True) == Condition(Attribute("title"), WITHIN, ("a",))


def node(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"title": {"gte": "A"}}, "title.gte"),
        ({"title": {"contains": ["A"]}}, "title.contains"),
        ({"title": {"contains": ""}}, "title.contains"),
        ({"title": {"contains": "x" * 513}}, "title.contains"),
        ({"title": {"exists": 1}}, "title.exists"),
        ({"title": True}, "title"),
        ({"title": ""}, "title"),
        ({"document_id": {"contains": "e"}}, "document_id.contains"),
        ({"created_at": {"contains": "2020"}}, "created_at.contains"),
        ({"created_at": {"in": "2020"}}, "created_at.in"),
        ({"page_number": {"contains": 1}}, "page_number.contains"),
        ({"page_number": {"gt": 1.5}}, "page_number.gt"),
        ({"created_at": 2020}, "created_at"),
        ({"creation_date": "May 2020"}, "creation_date"),
        ({"mod_date": {"lt": "2020-02-30"}}, "mod_date.lt"),
        ({"heading": []}, "heading"),
        ({"document_id": "nobody"}, "document_id"),
        ({"heading": ["a"] * (MAX_FILTER_VALUES + 1)}, "heading"),
        ({"a": None}, "a"),
        ({"a": float("nan")}, "a"),
        ({"a": 2**53 + 1}, "a"),
        ({"a": {"gt": True}}, "a.gt"),
        ({"a": {"gt": [1]}}, "a.gt"),
        ({"a": {"like": "%"}}, "a.like"),
        ({"a": {"contains": 1}}, "a.contains"),
        ({"a": {"in": [["a"]]}}, "a.in"),
        ({"": 1}, ""),
        ({"attributes.": 1}, "attributes."),
        ({"x" * 65: 1}, "x" * 65),
        ({"a\0": 1}, "a\0"),
        (node("and"), "filters"),
        (node("and", filters=[]), "filters"),
        (node("and", filters={"a": 1}), "filters"),
        (node("and", filters=["a"]), "filters.0"),
        (node("or", filters=[{"a": 1}, node("eq", key="a")]), "filters.1.value"),
        (node("not", filter=3), "filter"),
        (node("not", filters=[{}]), "filters"),
        (node("eq", value=1), "key"),
        (node("eq", key=1, value=1), "key"),
        (node("eq", key="a", value=1, more=1), "more"),
        (node("in", key="a", value=1), "value"),
        (node("gt", key="title", value="a"), "value"),
        (node("Eq", key="a", value=1), "type"),
        (node("exist", key="a"), "type"),
        (node("AND", filters=[{"a": 1}]), "type"),
        (node("nor", filter={"a": 1}), "type"),
        (node("and", filters=[{"a": 1}, node("regex", key="a", value="b")]), "filters.1.type"),
    ],
)
def test_what_cannot_be_compared_so_is_named(filters: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_filters(filters)
    assert [error["field"] for error in refused.value.extra["errors"]] == [f"config_metadata.filters.{field}"]


def test_depth_comparisons_and_values_are_limited() -> None:
    deep: dict[str, Any] = {"a": 1}
    for _ in range(MAX_DEPTH - 1):
        deep = node("not", filter=deep)
    assert len(list(conditions(parse_filters(deep)))) == 1
    with pytest.raises(InvalidRequest, match="deep"):
        parse_filters(node("not", filter=deep), at="filters")
    wide = {str(number): 1 for number in range(MAX_CONDITIONS)}
    assert len(list(conditions(parse_filters(wide)))) == MAX_CONDITIONS
    with pytest.raises(InvalidRequest, match=r"^filters: holds more than"):
        parse_filters({**wide, "more": 1}, at="filters")
    many = {str(number): list(range(100)) for number in range(MAX_ALL_VALUES // 100)}
    assert parse_filters(many)
    with pytest.raises(InvalidRequest, match="values"):
        parse_filters({**many, "more": 1})


WORDS = st.sampled_from(["type", "key", "value", "filter", "filters", "title", "gt", "2020", "or", "not", "", "a\0"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, JSON, max_size=4))
def test_any_json_is_parsed_or_refused_with_a_field(filters: dict[str, Any]) -> None:
    def parsed(given: dict[str, Any]) -> Any:
        try:
            return parse_filters(given)
        except InvalidRequest as refused:
            return str(refused.extra["errors"][0]["field"])

    found = parsed(filters)
    assert parsed(json.loads(json.dumps(filters))) == found
    assert not isinstance(found, str) or found.startswith("config_metadata.filters")

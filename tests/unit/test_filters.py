"""What a request's filters mean, and which are refused."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from modulo.domain.errors import InvalidRequest
from modulo.domain.filters import (
    MOST_DOCUMENTS,
    Comparison,
    Condition,
    FilterField,
    of_documents,
    parse_filters,
    within,
)

BEGIN, END = datetime(2020, 5, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC)
GTE, LT = Comparison.gte, Comparison.lt


def bounds(wanted: Any) -> list[tuple[Comparison, Any]]:
    return [(one.comparison, one.values[0]) for one in parse_filters({"creation_date": wanted})]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("2020-05", [(GTE, BEGIN), (LT, END)]),
        ({"gte": "2020-05"}, [(GTE, BEGIN)]),
        ({"gt": "2020-05"}, [(GTE, END)]),
        ({"lt": "2020-05"}, [(LT, BEGIN)]),
        ({"lte": "2020-05"}, [(LT, END)]),
        ({"gt": "2020-05", "lte": "2020-05"}, [(GTE, END), (LT, END)]),
        ({}, []),
    ],
)
def test_bounds_mean_all_of_the_stretch_of_time_that_a_date_names(wanted: Any, expected: Any) -> None:
    assert bounds(wanted) == expected


@pytest.mark.parametrize("field", ["heading", "title", "author"])
def test_texts_may_be_contained(field: str) -> None:
    (found,) = parse_filters({field: {"contains": "Growth"}})
    assert found == Condition(FilterField(field), Comparison.contains, ("Growth",))
    assert [found.holds(text) for text in ("On Growth and Form", "on growth", None)] == [True, False, False]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [("B", True), ("A", True), ("A > B", True), ("B > C", True), ("A > C", False), ("", False), ("a", False)],
)
def test_a_heading_is_one_of_those_above_or_several_that_follow_each_other(heading: str, expected: bool) -> None:
    condition = Condition(FilterField.heading, Comparison.within, ("none", heading))
    assert condition.holds("A > B > C") is expected


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"title": {"gte": "A"}}, "title.gte"),
        ({"title": {"contains": ["A"]}}, "title.contains"),
        ({"title": {"contains": ""}}, "title.contains"),
        ({"language": {"contains": "e"}}, "language"),
        ({"source": {"contains": "e"}}, "source"),
        ({"created_at": {"contains": "2020"}}, "created_at.contains"),
        ({"created_at": {"in": ["2020"]}}, "created_at.in"),
        ({"page_number": {"contains": 1}}, "page_number.contains"),
        ({"created_at": 2020}, "created_at"),
        ({"created_at": ["2020"]}, "created_at"),
        ({"creation_date": "May 2020"}, "creation_date"),
        ({"mod_date": {"lt": "2020-02-30"}}, "mod_date.lt"),
        ({"heading": []}, "heading"),
    ],
)
def test_what_cannot_be_compared_so_is_named(filters: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_filters(filters)
    assert [error["field"] for error in refused.value.extra["errors"]] == [f"config_metadata.filters.{field}"]


def test_files_take_the_place_of_what_documents_say() -> None:
    conditions = parse_filters({"title": "A", "page_number": 3, "source": "a.pdf", "heading": "B"})
    assert [one.field for one in of_documents(conditions)] == ["title", "source"]
    found = within(conditions, [UUID(int=1)])
    assert [one.field for one in found] == ["page_number", "heading", "document_id"]
    assert found[-1] == Condition(FilterField.document_id, Comparison.within, (str(UUID(int=1)),))
    most = [UUID(int=number) for number in range(MOST_DOCUMENTS)]
    assert len(within(conditions, most)[-1].values) == MOST_DOCUMENTS
    with pytest.raises(InvalidRequest, match="1,000 documents"):
        within(conditions, [*most, UUID(int=MOST_DOCUMENTS)])

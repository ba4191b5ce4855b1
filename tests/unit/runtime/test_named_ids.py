from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from modulo.runtime.named_ids import GIVEN, field_of

ID = UUID("0d7a4d4e-6a52-4a43-9b57-0c9c1f6f7a11")


def request(given: Any = None, query: str = "") -> Request:
    scope = {"type": "http", "query_string": query.encode(), "headers": []}
    return Request(scope if given is None else scope | {GIVEN: given})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"collection_id": str(ID)}, "collection_id"),
        ({"collection_id": str(ID).upper()}, "collection_id"),
        ({"model": f"modulo/{ID}"}, "model"),
        ({"tools": [{"type": "x"}, {"ids": ["y", str(ID)]}]}, "tools.1.ids.1"),
        ({"first": {"inner": str(ID)}, "second": str(ID)}, "second"),
        ({"question": "x" * 100, "top_k": 3, "collection_id": None}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_field_is_the_outermost_that_holds_the_id(given: Any, field: str | None) -> None:
    assert field_of(ID, request(given)) == field


def test_a_query_holds_ids_too() -> None:
    assert field_of(ID, request(query=f"limit=3&after={ID}")) == "after"


def test_ids_are_not_looked_for_in_the_depth() -> None:
    deep: Any = str(ID)
    for _ in range(5_000):
        deep = [deep]
    assert field_of(ID, request({"deep": deep})) is None

"""Fields of refused requests by the names that their callers wrote."""

from typing import Any

import pytest

from modulo.domain.errors import InvalidRequest
from modulo.runtime.field_names import as_written


@pytest.mark.parametrize(
    ("field", "given", "told"),
    [
        ("config_metadata.top_k", {"config_metadata": {"top_k": 9}}, "config_metadata.top_k"),
        ("config_metadata.top_k", {"options": {"top_k": 9}, "top_k": 9}, "options.top_k"),
        ("config_metadata.top_k", {"top_k": 9}, "top_k"),
        ("config_metadata.top_k", {"tools": [{"max_num_results": 9}]}, "tools.0.max_num_results"),
        ("config_metadata.top_k", {"tools": []}, "config_metadata.top_k"),
        ("config_metadata.top_k_rerank", {"options": {}, "top_k": 9}, "options.top_k_rerank"),
        ("config_metadata.filters.a.b", {"filters": {"a": {"b": 1}}}, "filters.a.b"),
        ("config_metadata.search_type", {"query": "x"}, "search_defaults.search_type"),
        ("config_metadata.search_type", {"options": {"top_k": 3}}, "search_defaults.search_type"),
        ("config_metadata.search_type", {"options": {"search_type": "text"}}, "options.search_type"),
        ("name", {"options": {}}, "name"),
        ("config_metadata.filters", None, "config_metadata.filters"),
        ("config_metadata.filters", {"tools": "0"}, "config_metadata.filters"),
    ],
)
def test_a_field_has_the_name_that_the_body_holds(field: str, given: Any, told: str) -> None:
    error = as_written(InvalidRequest.field(field, "is wrong"), given)
    assert (error.detail, error.extra) == (
        f"{told}: is wrong",
        {"errors": [{"field": told, "message": "is wrong"}]},
    )


def test_what_else_an_error_tells_is_kept() -> None:
    error = InvalidRequest("Two.", errors=[{"field": f, "message": "x"} for f in ("a", "config_metadata")], more=7)
    told = as_written(error, {"options": 3})
    assert (told.detail, told.extra["more"]) == ("a: x; options: x", 7)
    whole = InvalidRequest("The archive is refused.")
    assert as_written(whole, {"options": 3}) is whole

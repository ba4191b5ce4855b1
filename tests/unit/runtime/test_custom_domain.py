"""Requests by a custom domain, whose events are those that API Gateway was seen to send."""

from typing import Any

import pytest

from modulo.runtime.custom_domain import without_base_path


def event(stage: str, path: str, asked: str | None) -> dict[str, Any]:
    """An event; `asked` is the path that the client asked for, which local gateways do not tell."""
    return {"path": path, "requestContext": {"stage": stage, **({} if asked is None else {"path": asked})}}


@pytest.mark.parametrize(
    ("stage", "path", "asked", "routed"),
    [
        # By a custom domain.
        ("api", "/api/collections", "/api/collections", "/collections"),
        ("mcp", "/mcp", "/mcp", "/"),
        ("mcp", "/mcp/", "/mcp/", "/"),
        ("mcp", "/mcp/mcp", "/mcp/mcp", "/mcp"),
        ("mcp", "/.well-known/x/mcp", "/.well-known/x/mcp", "/.well-known/x/mcp"),  # of the domain's root
        ("v1", "/v1x", "/v1x", "/v1x"),
        # By the API's own address, which has the stage.
        ("api", "/collections", "/api/collections", "/collections"),
        ("mcp", "/", "/mcp", "/"),
        ("mcp", "/mcp", "/mcp/mcp", "/mcp"),
        # By a local gateway.
        ("mcp", "/mcp", None, "/mcp"),
    ],
)
def test_a_path_is_that_of_the_routes_however_it_was_reached(
    stage: str, path: str, asked: str | None, routed: str
) -> None:
    given = event(stage, path, asked)
    found = without_base_path(given)
    assert found["path"] == routed
    assert {**found, "path": path} == given


def test_an_event_that_needs_no_change_is_the_same() -> None:
    given = event("api", "/search", "/api/search")
    assert without_base_path(given) is given

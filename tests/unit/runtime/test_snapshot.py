"""Environments that Lambda makes ahead of requests."""

import pytest

from modulo.runtime.snapshot import TYPE, made_ahead


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({TYPE: "on-demand"}, False),
        ({TYPE: "provisioned-concurrency"}, True),
        ({TYPE: "snap-start"}, True),
    ],
)
def test_environments_of_no_request_are_made_ahead(environment: dict[str, str], *, expected: bool) -> None:
    assert made_ahead(environment) is expected

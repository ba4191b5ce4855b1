"""How a process loads the SDK of the door."""

import pytest

from modulo import lean_mcp_sdk
from modulo.lean_imports import LAMBDA
from modulo.runtime.mcp_door.exchange import exchange
from modulo.runtime.mcp_door.http import load_server
from modulo.runtime.snapshot import TYPE


@pytest.mark.parametrize(
    ("environment", "lean"),
    [({}, False), ({LAMBDA: "mcp_exchange"}, True), ({LAMBDA: "mcp_exchange", TYPE: "provisioned-concurrency"}, False)],
)
def test_only_a_function_that_a_request_waits_for_loads_less(monkeypatch, environment, lean):
    loaded = []
    monkeypatch.setattr(lean_mcp_sdk, "load_sdk", lambda: loaded.append("lean"))
    for name in (LAMBDA, TYPE):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_server.__wrapped__() is exchange
    assert bool(loaded) is lean

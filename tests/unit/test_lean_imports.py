"""What stands for modules that no function uses; whole functions run so in tests/functions/test_lean_imports.py."""

import ast
import asyncio
import importlib
import inspect
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastapi
import pytest
from fastapi import FastAPI

from modulo.lean_imports import (
    LAMBDA,
    STUBS,
    NoTelemetry,
    ignore_refusal,
    ignore_route,
    in_lambda,
    no_operation,
    no_plugins,
    no_request_data,
    not_instrumented,
    pass_through,
    run_sync_endpoint,
    without_middleware,
)

THIS = "modulo.lean_imports"
CONTENTS = [(module, name) for module, contents in STUBS.items() for name in contents]


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in STUBS:
        importlib.import_module(name)  # so that the real module is put back
    for name in STUBS:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.filterwarnings("ignore:'modulo.lean_imports' found in sys.modules")
@pytest.mark.usefixtures("unloaded")
def test_in_lambda_any_public_name_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LAMBDA, "list_members")
    runpy.run_module(THIS)
    for name in STUBS:
        module = sys.modules[name]
        assert isinstance(module.BaseModel("anything"), module.BaseModel)
        assert module.BaseModel is module.BaseModel
        with pytest.raises(AttributeError):
            module._private  # noqa: B018 - reading it is the test
        assert STUBS[name].keys() <= vars(module).keys()


@pytest.mark.filterwarnings("ignore:'modulo.lean_imports' found in sys.modules")
def test_what_is_loaded_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = [importlib.import_module(name) for name in STUBS]
    monkeypatch.setenv(LAMBDA, "list_members")
    runpy.run_module(THIS)
    assert [sys.modules[name] for name in STUBS] == loaded


def test_only_lambda_names_a_function() -> None:
    assert in_lambda({LAMBDA: "search"})
    assert not in_lambda({})
    assert not in_lambda({LAMBDA: ""})


@pytest.mark.parametrize(("module", "name"), CONTENTS)
def test_a_stub_is_called_as_what_it_stands_for(module: str, name: str) -> None:
    real = getattr(importlib.import_module(module), name)
    assert parameters(STUBS[module][name]) == parameters(real)
    assert inspect.iscoroutinefunction(STUBS[module][name]) == inspect.iscoroutinefunction(real)


def parameters(called: Callable[..., Any]) -> list[tuple[str, Any, bool]]:
    return [
        (each.name, each.kind, each.default is each.empty) for each in inspect.signature(called).parameters.values()
    ]


def test_the_stubs_hold_every_private_name_that_fastapi_imports() -> None:
    package = Path(fastapi.__file__).parent
    imported = {
        (node.module, alias.name)
        for path in package.rglob("*.py")
        if package / "telemetry" not in path.parents
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module in STUBS
        for alias in node.names
    }
    assert ("fastapi.telemetry._api", "_operation") in imported
    assert {(module, name) for module, name in imported if name.startswith("_")} <= set(CONTENTS)


def test_the_stubs_do_nothing_more_than_is_asked() -> None:
    app = FastAPI()
    with no_operation(name="endpoint", function=parameters):
        assert run_sync_endpoint(function=dict, arguments={"a": 1}) == {"a": 1}
    assert not NoTelemetry({"tracing": True}).enabled()
    assert without_middleware(app) is app
    assert no_plugins() == ()
    assert no_request_data() is None
    assert not not_instrumented(app)
    assert ignore_route(scope={}, path="/search") is None
    assert ignore_refusal(ValueError()) is None


def test_an_application_starts_and_stops_without_providers() -> None:
    async def app(*given: object) -> None:
        called.append(given)

    called: list[tuple[object, ...]] = []
    asyncio.run(pass_through(config={}, app=app, scope="scope", receive="receive", send="send"))
    assert called == [("scope", "receive", "send")]

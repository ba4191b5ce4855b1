"""One name everywhere: folder, logical id, operation, use case and test of a function agree."""

import ast
import importlib
import inspect

import pytest

from modulo.runtime.worker import function
from tests.architecture.sources import (
    FUNCTIONS,
    PACKAGE,
    ROOT,
    declared_routes,
    deployed_routes,
    described_routes,
    logical_id,
    properties,
    resources,
)

LINES = 30
WITHOUT_USE_CASE = {"migrate"}  # it brings the database up to date, which no use case asks for


def test_every_folder_is_a_resource() -> None:
    assert set(resources("AWS::Serverless::Function")) == {logical_id(name) for name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_resource_runs_the_folder(name: str) -> None:
    found = properties(name)
    assert found["CodeUri"] == f"functions/{name}/"
    assert found["Handler"] == "app.handler"
    assert found["FunctionName"] == {"Fn::Sub": f"${{AWS::StackName}}-{name}"}
    assert callable(function(name).handler)


def test_routes_agree() -> None:
    declared = declared_routes()
    assert declared == deployed_routes()
    assert declared == described_routes()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_one_trigger(name: str) -> None:
    router = getattr(function(name), "router", None)
    events = [event["Type"] for event in properties(name).get("Events", {}).values()]
    if router is not None:
        assert [route.operation_id for route in router.routes] == [name]
        assert events == ["Api"]
    else:
        assert events in (["SQS"], ["ScheduleV2"]) or (name == "migrate" and not events)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in WITHOUT_USE_CASE])
def test_the_use_case_has_its_name(name: str) -> None:
    use_case = getattr(importlib.import_module(f"modulo.usecases.{name}"), name)
    assert inspect.isfunction(use_case)
    assert getattr(function(name), name) is use_case


def test_a_use_case_without_a_function_is_shared() -> None:
    used = {
        alias
        for path in (PACKAGE / "usecases").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("modulo.usecases.")
        for alias in [str(node.module).rpartition(".")[2]]
    }
    names = {path.stem for path in (PACKAGE / "usecases").glob("*.py")} - {"__init__"}
    assert names - set(FUNCTIONS) <= used


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_function_has_its_test(name: str) -> None:
    assert (ROOT / "tests" / "functions" / f"test_{name}.py").is_file()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_translates_and_delegates(name: str) -> None:
    source = (ROOT / "functions" / name / "app.py").read_text()
    code = [line for line in source.splitlines() if line.strip()]
    branches = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.If, ast.IfExp, ast.Match))]
    assert not branches
    assert len(code) <= LINES

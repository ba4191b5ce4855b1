"""One name everywhere: folder, logical id, operation, use case and test of a function agree."""

import ast
import importlib
import inspect
from functools import cached_property
from pathlib import Path

import pytest

from modulo.runtime.worker import function
from modulo.services import Services
from tests.architecture.sources import (
    FUNCTIONS,
    PACKAGE,
    ROOT,
    Route,
    api_routes,
    declared_routes,
    deployed_name,
    deployed_routes,
    described_routes,
    door_of,
    logical_id,
    modules,
    properties,
    resources,
)

LINES = 40
GATEWAYS = {"list_methods", "mcp_exchange"}
"""Functions that answer any method of their paths: HTTP's own methods, and a protocol whose messages call use cases."""
OPERATORS = {"admin", "migrate"}
"""Functions that nothing triggers but operators and deployments, through IAM."""
WITHOUT_USE_CASE = {*OPERATORS, *GATEWAYS}
OWN = [name for name in FUNCTIONS if door_of(name) == "/api"]
OF_DOORS = [name for name in FUNCTIONS if name not in OWN]


def test_every_folder_is_a_resource() -> None:
    assert set(resources("AWS::Serverless::Function")) == {logical_id(name) for name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_resource_runs_the_folder(name: str) -> None:
    found = properties(name)
    assert found["CodeUri"] == f"functions/{name}/"
    assert found["Handler"] == "app.handler"
    assert found["FunctionName"] == {"Fn::Sub": f"${{AWS::StackName}}-{deployed_name(name)}"}
    assert callable(function(name).handler)


def test_routes_agree() -> None:
    declared = declared_routes()
    assert declared == deployed_routes()
    assert declared == described_routes()


def test_every_path_answers_head_beside_get_and_any_other_method() -> None:
    declared = {route for route in declared_routes() if route.path.startswith("/api/")}
    heads = {Route("head", route.path, route.operation) for route in declared if route.method == "get"}
    assert deployed_routes("head") == heads
    anys = {Route("any", route.path, "list_methods") for route in declared}
    assert {route for route in deployed_routes("any") if route.operation == "list_methods"} == anys, (
        "every path has its event of the function list_methods"
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_one_trigger(name: str) -> None:
    router = getattr(function(name), "router", None)
    events = [event["Type"] for event in properties(name).get("Events", {}).values()]
    if router is not None:
        assert [route.operation_id for route in router.routes] == [name]
    if router is not None or name in GATEWAYS:
        assert api_routes(name)
        assert not events
    else:
        assert not api_routes(name)
        assert events in (["SQS"], ["ScheduleV2"]) or (name in OPERATORS and not events)


@pytest.mark.parametrize("name", [name for name in OWN if name not in WITHOUT_USE_CASE])
def test_the_use_case_has_its_name(name: str) -> None:
    package = (PACKAGE / "usecases" / name).is_dir()
    module = f"modulo.usecases.{name}.{name}" if package else f"modulo.usecases.{name}"
    use_case = getattr(importlib.import_module(module), name)
    assert inspect.isfunction(use_case)
    assert getattr(function(name), name) is use_case


def use_cases_of(path: Path) -> set[str]:
    """The modules of use cases that a module imports from."""
    return {
        str(node.module).rpartition(".")[2]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("modulo.usecases.")
    }


@pytest.mark.parametrize("name", OF_DOORS)
def test_a_function_of_a_door_calls_a_use_case(name: str) -> None:
    assert use_cases_of(ROOT / "functions" / name / "app.py")
    assert {api for api, _, _ in api_routes(name)} == {"V1Api"}


def test_a_use_case_without_a_function_is_shared() -> None:
    doors = [ROOT / "functions" / name / "app.py" for name in OF_DOORS]
    shared = modules("layers/core/python/modulo/usecases", "layers/core/python/modulo/runtime")
    used = {name for path in [*shared, *doors] for name in use_cases_of(path)}
    names = {path.stem for path in (PACKAGE / "usecases").rglob("*.py")} - {"__init__"}
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


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_handler_states_the_ports_that_the_function_uses(name: str) -> None:
    tree = ast.parse((ROOT / "functions" / name / "app.py").read_text())
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value) in ("s", "services()")
        and isinstance(getattr(Services, node.attr, None), cached_property)
    }
    queues = {ast.unparse(node.body).removeprefix("s.") for node in ast.walk(tree) if isinstance(node, ast.Lambda)}
    stated = [
        eval(ast.unparse(keyword.value), vars(function(name)))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "uses"
    ]
    assert len(stated) <= 1
    named = {port for ports in stated for port in ports}
    assert named <= used
    assert used - named <= queues  # the queue that feeds a function is asked for only where a message fails


EXTERNAL = {
    "pings",
    "blobs",
    "vectors",
    "embedder",
    "reranker",
    "generator",
    "web",
    "queues",
    "ingests",
    "purges",
    "fetches",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_that_waits_for_more_than_the_database_runs_outside_its_bulkhead(name: str) -> None:
    tree = ast.parse((ROOT / "functions" / name / "app.py").read_text())
    calls = [
        (node.func.id, node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    grouped = {keyword.arg for name, call in calls if name.endswith("Ports") for keyword in call.keywords}
    for called, call in calls:
        if called in ("run", "run_external"):
            external = ({keyword.arg for keyword in call.keywords} | grouped) & EXTERNAL
            assert called == ("run_external" if external else "run"), external

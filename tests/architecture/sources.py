"""The repository as the architecture tests read it: its template, its functions, its files."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from modulo.runtime.worker import function

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "core" / "python" / "modulo"
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
SITE = PACKAGE / "cli" / "site"
"""Where the website of the documentation is built."""
MADE = {"__pycache__", "node_modules"}
"""Folders of what programs write."""
REGION = "us-east-1"
ROOT_TEMPLATE = "template.yaml"
DOORS = {"V1Door": "infra/v1.yaml", "McpDoor": "infra/mcp.yaml"}
"""The nested stacks that have functions, and their templates."""
HTTP_METHODS = {"get", "post", "put", "patch", "delete"}


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms spelt out."""


def _intrinsic(loader: _TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_TemplateLoader.add_multi_constructor("!", _intrinsic)


@cache
def template(name: str = ROOT_TEMPLATE) -> dict[str, Any]:
    """A CloudFormation template."""
    return parsed((ROOT / name).read_text())


def parsed(text: str) -> dict[str, Any]:
    """A CloudFormation template, from its text."""
    found: dict[str, Any] = yaml.load(text, Loader=_TemplateLoader)
    return found


def inlined(value: Any, door: str) -> Any:
    """A part of a door's template in the root's terms: its parameters are what the root hands on."""
    given = template()["Resources"][door]["Properties"]["Parameters"]
    return _settled(_filled(value, given), {})


def _filled(value: Any, given: Mapping[str, Any]) -> Any:
    """With references to parameters replaced by what is given."""
    if isinstance(value, list):
        return [_filled(one, given) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Ref"}:
        return given.get(value["Ref"], value)
    if value.keys() == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return {"Fn::Sub": re.sub(r"\$\{(\w+)\}", lambda name: _in_text(name[1], given), value["Fn::Sub"])}
    return {name: _filled(one, given) for name, one in value.items()}


def _in_text(name: str, given: Mapping[str, Any]) -> str:
    ((function, argument),) = given.get(name, {"Ref": name}).items()
    assert function in ("Ref", "Fn::GetAtt"), f"{name} is computed"
    return f"${{{argument if function == 'Ref' else '.'.join(argument)}}}"


def _settled(value: Any, known: Mapping[str, bool]) -> Any:
    """Without conditions that an enclosing one has decided."""
    if isinstance(value, list):
        return [_settled(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::If"}:
        condition, one, other = value["Fn::If"]
        if condition in known:
            return _settled(one if known[condition] else other, known)
        branches = (_settled(each, {**known, condition: true}) for each, true in ((one, True), (other, False)))
        return {"Fn::If": [condition, *branches]}
    return {name: _settled(one, known) for name, one in value.items()}


@cache
def declared() -> dict[str, dict[str, Any]]:
    """The resources of the template and, in its terms, of the doors: paths are the repository's."""
    found = dict(template()["Resources"])
    for door, path in DOORS.items():
        made = inlined(template(path)["Resources"], door)
        assert not found.keys() & made.keys(), "each logical id is of one stack"
        for resource in made.values():
            for location in LOCATIONS & resource["Properties"].keys():
                place = os.path.normpath(Path(path).parent / resource["Properties"][location])
                resource["Properties"][location] = f"{place}/"
        found |= made
    return found


LOCATIONS = {"CodeUri", "ContentUri"}
"""Properties with the folder of what is built."""


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The resources of a type, those of the doors too, with their properties."""
    return {name: resource.get("Properties", {}) for name, resource in declared().items() if resource["Type"] == kind}


def holds(expression: Any, parameters: Mapping[str, Any], conditions: Mapping[str, Any] | None = None) -> Any:
    """What CloudFormation makes of a rule or a condition."""
    if not isinstance(expression, dict):
        return expression
    ((function, argument),) = expression.items()
    if function == "Ref":
        return str(parameters[argument])
    if function == "Condition":
        return holds((conditions or {})[argument], parameters, conditions)
    values = [holds(one, parameters, conditions) for one in argument]
    assert function not in ("Fn::And", "Fn::Or") or 2 <= len(values) <= 10, "which is what CloudFormation takes"
    return {
        "Fn::EachMemberEquals": lambda: all(one == values[1] for one in values[0].split(",")),
        "Fn::Equals": lambda: str(values[0]) == str(values[1]),
        "Fn::Not": lambda: not values[0],
        "Fn::And": lambda: all(values),
        "Fn::Or": lambda: any(values),
        "Fn::Join": lambda: values[0].join(values[1].split(",")),
    }[function]()


def chosen(given: Mapping[str, str]) -> dict[str, str]:
    """All parameters of the template, where these are given."""
    defaults = {name: str(one.get("Default", "")) for name, one in template()["Parameters"].items()}
    assert given.keys() <= defaults.keys()
    return {"AWS::Region": REGION, **defaults, **given}


def true_conditions(given: Mapping[str, str]) -> set[str]:
    """The template's conditions that hold for parameters."""
    conditions = template()["Conditions"]
    return {name for name, one in conditions.items() if holds(one, chosen(given), conditions)}


def logical_id(name: str) -> str:
    """The template's name of a function: create_collection is CreateCollection."""
    return "".join(word.capitalize() for word in name.split("_"))


def deployed_name(name: str) -> str:
    """A function's name after its stack's: v1_get_model is v1-get_model.

    CloudFormation makes what is new before it deletes what is gone: when functions moved to stacks of doors, those of
    the root still had their names.
    """
    return re.sub("^(v1|mcp)_", r"\1-", name)


def door_of(name: str) -> str:
    """The beginning of a function's path in a server, which is the stage of its REST API."""
    return "/v1" if name.startswith("v1_") else "/api"


def properties(name: str) -> dict[str, Any]:
    """A function's properties, over those that all functions share."""
    shared = template()["Globals"]["Function"]
    return {**shared, **resources("AWS::Serverless::Function")[logical_id(name)]}


@dataclass(frozen=True, order=True)
class Route:
    """One endpoint: the same in the code, in the template and in the API's description."""

    method: str
    path: str
    operation: str


def declared_routes() -> set[Route]:
    """The routes of the functions' routers."""
    modules = [function(name) for name in FUNCTIONS]
    return {
        Route(method.lower(), door_of(str(route.operation_id)) + route.path_format, str(route.operation_id))
        for module in modules
        if hasattr(module, "router")
        for route in module.router.routes
        for method in route.methods
    }


ANY_METHOD = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"


def called(integration: Mapping[str, Any]) -> str:
    """The logical id of the function that a gateway calls by its alias, whether the answer is streamed or not."""
    found = set(re.findall(r"/functions/\$\{(\w+)Aliaslive\}/", json.dumps(integration)))
    (function,) = found
    return str(function)


@cache
def api_routes(name: str) -> tuple[tuple[str, str, str], ...]:
    """What leads to a function: the REST API's logical id, the path and the method."""
    return tuple(
        (api, path, "any" if method == ANY_METHOD else method)
        for api, one in resources("AWS::Serverless::Api").items()
        for path, methods in one["DefinitionBody"]["paths"].items()
        for method, operation in methods.items()
        if called(operation[INTEGRATION]) == logical_id(name)
    )


def deployed_routes(*methods: str) -> set[Route]:
    """The routes of the template's functions, by their own methods or by these."""
    return {
        Route(method, door_of(name) + path.replace("+}", "}"), name)
        for name in FUNCTIONS
        for _, path, method in api_routes(name)
        if method in (methods or HTTP_METHODS)
    }


def described_routes() -> set[Route]:
    """The routes of `infra/openapi.json`."""
    document = json.loads((ROOT / "infra" / "openapi.json").read_text())
    return {
        Route(method, path, operation["operationId"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in HTTP_METHODS
    }


@cache
def translated() -> dict[str, Any]:
    """What SAM makes of the template: every role and every permission spelt out."""
    return translate({})


def translate(contents: Mapping[str, str], given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What SAM makes of the template and, in its terms, of the doors.

    `contents` tells the archives of functions and layers apart, by logical id; `given` are parameters of the root.
    """
    root, *doors = translations(contents, given).values()
    for door, one in zip(DOORS, doors, strict=True):
        made = inlined(one["Resources"], door)
        assert {made[name] != root["Resources"][name] for name in made.keys() & root["Resources"].keys()} == {False}
        root["Resources"] |= made
    return root


def translations(contents: Mapping[str, str], given: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """What SAM makes of the template, for parameters, and of those of the doors, by their paths."""
    names = (ROOT_TEMPLATE, *DOORS.values())
    sources = [[packaged(contents, name), dict(given or {}) if name == ROOT_TEMPLATE else {}] for name in names]
    return dict(zip(names, json.loads(_translation(json.dumps(sources))), strict=True))


@cache
def _translation(source: str) -> str:
    """By a process of its own, since SAM's translator warns at import; once for each source, as it takes seconds."""
    program = (
        "import json, sys\n"
        "from samtranslator.translator.transform import transform\n"
        "class Policies:\n"
        "    def load(self): return {}\n"
        "print(json.dumps([transform(*one, Policies()) for one in json.load(sys.stdin)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        input=source,
        env={"AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def packaged(contents: Mapping[str, str], name: str = ROOT_TEMPLATE) -> dict[str, Any]:
    """A template with archives in a bucket of the longest name, as `sam package` writes it."""
    source: dict[str, Any] = json.loads(json.dumps(template(name)))
    for logical, resource in source["Resources"].items():
        for location in LOCATIONS & resource.get("Properties", {}).keys():
            resource["Properties"][location] = {"Bucket": "b" * 63, "Key": contents.get(logical, "key")}
    return source


@cache
def recorded_metrics() -> dict[str, tuple[str, tuple[str, ...]]]:
    """What the package records: by name, the method (count, observe or adjust) and the labels."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                continue
            name, method = node.args[0], node.func.attr
            if method not in ("count", "observe", "adjust") or not isinstance(name, ast.Constant):
                continue
            if isinstance(name.value, str) and "_" in name.value:
                found[name.value] = method, tuple(sorted(str(keyword.arg) for keyword in node.keywords))
    return found


def written_files() -> Iterator[Path]:
    """Every text file that people write."""
    folders = ("layers", "functions", "infra", "localstack", "tests", "benchmarks", "docs", ".ci", "requirements")
    names = (
        *("template.yaml", "samconfig.toml", "pyproject.toml", "Makefile", ".editorconfig", ".pre-commit-config.yaml"),
        *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"),
    )
    suffixes = {".py", ".yaml", ".yml", ".toml", ".md", ".json", ".txt", ".mako", ".sh", ""}
    yield from (ROOT / name for name in names)
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            made = any(part in MADE or part.endswith("_cache") for part in path.parts) or SITE in path.parents
            if path.is_file() and path.suffix in suffixes and not made:
                yield path


def modules(*folders: str) -> Iterator[Path]:
    """The Python modules below the folders."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found

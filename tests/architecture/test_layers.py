"""The functions' layers hold the lock's packages, each once, and only wheels that Lambda can load."""

import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.sources import (
    FUNCTIONS,
    PACKAGE,
    ROOT,
    declared,
    imports_of,
    modules,
    properties,
    resources,
    template,
)

GROUPS = ("dependencies", "vectors", "parsing", "mcp")
LAYERS = {
    "ask_conversation": ["VectorsLayer"],
    "search": ["VectorsLayer"],
    "stream_conversation": ["VectorsLayer"],
    "stream_search": ["VectorsLayer"],
    "mcp_exchange": ["VectorsLayer", "McpLayer"],
    "list_chunks": ["VectorsLayer"],
    "v1_get_vector_store_file_content": ["VectorsLayer"],
    "v1_create_chat_completion": ["VectorsLayer"],
    "v1_create_response": ["VectorsLayer"],
    "v1_search_vector_store": ["VectorsLayer"],
    "health": ["VectorsLayer"],
    "purge": ["VectorsLayer"],
    "ingest_file": ["VectorsLayer", "ParsingLayer"],
}
"""What a function needs beyond the core and its dependencies."""
LEFT_OUT = {"pandas"}
"""What pymilvus requires and no function loads: adapters/milvus/pandas_stub.py stands in for it."""


def pins(path: Path) -> dict[str, list[str]]:
    """The packages of a lock, each with the lines that pin its version and its files."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if re.match(r"[a-z0-9]", line):
            found[line.partition("==")[0]] = lines = []
        lines.append(line)
    return found


def canonical(name: str) -> str:
    """A distribution's name as locks spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


LOCK = pins(ROOT / "requirements" / "app.txt")


@pytest.mark.parametrize("group", GROUPS)
def test_a_layer_holds_what_the_lock_says(group: str) -> None:
    held = pins(ROOT / "layers" / group / "requirements.txt")
    assert held == {name: LOCK.get(name) for name in held}, "run: make -C layers requirements"


def test_every_locked_package_is_in_one_layer() -> None:
    held = [name for group in GROUPS for name in pins(ROOT / "layers" / group / "requirements.txt")]
    assert sorted([*held, *LEFT_OUT]) == sorted(LOCK), (
        "name it in a layers/*/requirements.txt, then: make -C layers requirements"
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_carries_only_the_layers_it_uses(name: str) -> None:
    shared = template()["Globals"]["Function"]["Layers"]
    assert shared == [{"Ref": "CoreLayer"}, {"Ref": "DependenciesLayer"}]
    own = properties(name)["Layers"]
    assert own == ([{"Ref": layer} for layer in LAYERS[name]] if name in LAYERS else shared)


def test_every_layer_is_built_by_the_makefile() -> None:
    makefile = (ROOT / "layers" / "Makefile").read_text()
    for name, layer in resources("AWS::Serverless::LayerVersion").items():
        assert declared()[name]["Metadata"] == {"BuildMethod": "makefile"}
        assert layer["ContentUri"] == "layers/"
        assert f"\nbuild-{name}:" in makefile


def test_the_layer_knows_the_services_that_are_used() -> None:
    used = {
        name
        for path in (PACKAGE / "adapters").rglob("*.py")
        for name in re.findall(r"(?:LazyClient|\.client)\(\s*\"([a-z0-9-]+)\"", path.read_text())
    }
    makefile = (ROOT / "layers" / "Makefile").read_text()
    assert set(re.search(r"^SERVICES := (.*)$", makefile, re.M)[1].split()) == used


@pytest.mark.parametrize("name", ["app", "local", "dev"])
def test_a_lock_names_packages_and_hashes_only(name: str) -> None:
    line = re.compile(r"[a-z0-9-]+==[^ ]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    for entry in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        assert line.fullmatch(entry), entry


def test_what_functions_import_is_in_the_lock() -> None:
    distributions = packages_distributions()
    for path in modules("layers/core/python/modulo"):
        if "cli" not in path.relative_to(PACKAGE).parts:
            for name in imports_of(path) - set(sys.stdlib_module_names) - {"modulo"}:
                assert {canonical(found) for found in distributions[name]} & set(LOCK), f"{path}: {name}"


def test_only_what_has_an_alias_starts_from_a_snapshot() -> None:
    snapshotted = {name for name in FUNCTIONS if "SnapStart" in properties(name)}
    assert snapshotted == {"search"} < {name for name in FUNCTIONS if "AutoPublishAlias" in properties(name)}
    assert properties("search")["Runtime"] == {"Ref": "Runtime"}
    parameters = template()["Parameters"]
    assert (parameters["Runtime"]["Default"], parameters["Snapshots"]["Default"]) == ("python3.11", "false")
    for layer in resources("AWS::Serverless::LayerVersion").values():
        assert layer["CompatibleRuntimes"] == [{"Ref": "Runtime"}]

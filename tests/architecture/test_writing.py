"""How the code is written: names, sizes, and nothing left for later."""

import ast
import json
import re

import pytest

from modulo.settings import Settings
from tests.architecture.sources import ROOT, modules, written_files

LINES = 300
DECLARATIONS = {"settings.py", "tables.py"}  # every setting and every table in one place, hardly any code
EMPTY_WORDS = {"manager", "helper", "helpers", "utils", "util", "common", "base"}
LATER = re.compile("|".join((r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", "XX" + "X")))  # VTODO is a word of calendars
CODE = ("layers/core/python/modulo", "functions", "benchmarks", "localstack", "tests")


def words(name: str) -> set[str]:
    """The words of a name in either spelling."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def test_no_name_is_an_empty_word() -> None:
    for path in modules(*CODE):
        assert not words(path.stem) & EMPTY_WORDS, path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                assert not words(node.name) & EMPTY_WORDS, f"{path}: {node.name}"


def test_no_class_tells_its_kind() -> None:
    for path in modules(*CODE):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                assert not re.search(r"^I[A-Z][a-z]|Impl$", node.name), f"{path}: {node.name}"


def test_a_module_fits_in_the_head() -> None:
    for path in modules(*CODE[:4]):
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        assert len(lines) <= LINES or path.name in DECLARATIONS, path


def test_a_module_opens_with_what_it_is() -> None:
    for path in modules("layers/core/python/modulo", "functions"):
        assert (ast.get_docstring(ast.parse(path.read_text())) or "").strip(), path


@pytest.mark.parametrize("pattern", [LATER, re.compile(r"(?<![\w.])/(?:root|home|work)/")], ids=["later", "machine"])
def test_nothing_is_left_for_later_or_tied_to_a_machine(pattern: re.Pattern[str]) -> None:
    assert [str(path) for path in written_files() if pattern.search(path.read_text(errors="ignore"))] == []


def test_every_setting_is_documented() -> None:
    defaults = json.loads(Settings.model_construct().model_dump_json())
    expected = []
    for name, value in defaults.items():
        shown = value if isinstance(value, str) else json.dumps(value)
        expected.append((name.upper(), "" if value in (None, "") else f"`{shown}`"))
    table = (ROOT / "infra" / "settings.md").read_text()
    assert re.findall(r"^\| `([A-Z_0-9]+)` \| (.*?) ?\| .+ \|$", table, re.M) == expected

"""What the documentation promises about itself: short, tagged, linked, and drawn from the code as it is."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from docs import architecture, third_party
from tests.architecture.documentation import COMMANDS, anchors, as_pattern, blocks, links, pages, run_in_order, tokens
from tests.architecture.sources import DOORS, PACKAGE, ROOT, template, translated

README_LINES = 100
LANGUAGES = {"sh", "json", "text", "python", "js", "yaml", "toml", "sql"}
FORBIDDEN_LICENCES = ("GPL", "AGPL", "CC-BY-NC", "SSPL", "BUSL")


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_says_its_language_and_whether_it_is_run(page: Path) -> None:
    assert not [token.content for token in tokens(page) if token.type == "code_block"], "indented: use a fence"
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: a fence names its language, and `sh` is that of commands"
        if block.language in COMMANDS:
            told = {"run", "not-run"} & set(block.tags)
            assert len(told) == 1, f'{block}: say `run` or `not-run="why"`'
            assert block.tags.get("not-run", "-"), f"{block}: say why it is not run"
        else:
            assert set(block.tags) <= {"output", "file", "before", "after"}, str(block)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        address = urlsplit(target)
        if address.scheme:
            assert address.scheme == "https" or address.hostname in ("127.0.0.1", "localhost"), target
            continue
        path = (page.parent / unquote(address.path)).resolve() if address.path else page
        assert path.exists(), f"{page.relative_to(ROOT)} links to {target}"
        if address.fragment:
            assert address.fragment in anchors(path), f"{page.relative_to(ROOT)} links to {target}"


def test_every_page_of_docs_is_found_from_an_index() -> None:
    indexes = set((ROOT / "docs").rglob("README.md"))
    linked = {(index.parent / urlsplit(target).path).resolve() for index in indexes for target in links(index)}
    assert set((ROOT / "docs").rglob("*.md")) - {ROOT / "docs" / "README.md"} <= linked


def test_every_service_of_the_templates_is_among_what_nobody_has_run() -> None:
    """On a page with a date: whoever runs one of them on AWS says so there."""
    page = (ROOT / "docs" / "operations" / "unproven.md").read_text()
    assert re.search(r"^As of \d{4}-\d\d-\d\d, nobody has ", page, re.MULTILINE)
    told = set(re.findall(r"^\| (\w+) \|", page, re.MULTILINE))
    used = set(re.findall(r'"Type": "AWS::(\w+)::', json.dumps([translated(), *nested_templates()])))
    assert {"CodeDeploy", "CloudFront", "RDS"} <= used
    assert used - told == set()


def nested_templates() -> list[dict[str, Any]]:
    """But for those that are translated with the root."""
    paths = {str(path.relative_to(ROOT)) for path in (ROOT / "infra").glob("*.yaml")}
    return [template(path) for path in paths - {*DOORS.values()}]


NAMED = re.compile(r"`((?:tests|benchmarks|infra|layers|functions|docs|localstack|requirements)/[\w./-]+)`")
NAMED_IN_PACKAGE = re.compile(r"`((?:domain|ports|usecases|adapters|services|runtime|cli)/[\w./-]*)`")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    named = [ROOT / name for name in NAMED.findall(text)] + [PACKAGE / name for name in NAMED_IN_PACKAGE.findall(text)]
    assert [str(path) for path in named if not path.exists()] == []


def test_the_glossary_defines_each_term_once() -> None:
    terms = re.findall(r"\*\*([^*]+)\*\*", (ROOT / "docs" / "glossary.md").read_text())
    assert len(terms) > 50
    assert sorted(set(map(str.lower, terms))) == sorted(map(str.lower, terms))


def test_the_readme_and_the_guides_are_run() -> None:
    assert run_in_order()[0] == ROOT / "README.md"
    assert set((ROOT / "docs" / "guides").glob("*.md")) <= set(run_in_order())


def test_an_output_is_compared_line_by_line() -> None:
    shown = as_pattern('{\n  "id": "…",\n…\n  "last": 1\n}\n')
    assert shown.fullmatch('{\n  "id": "x",\n  "more": 2,\n  "even": 3,\n  "last": 1\n}\n')
    assert not shown.fullmatch('{\n  "id": "x",\n  "last": 2\n}\n')
    assert not shown.fullmatch('{\n  "last": 1\n}\n')


def test_the_picture_shows_the_code_as_it_is() -> None:
    drawn = (ROOT / "docs" / "architecture.svg").read_text()
    assert drawn == architecture.picture(), "run `make docs`"


def test_third_party_notices_name_what_is_locked() -> None:
    written = (ROOT / "docs" / "third-party.md").read_text()
    assert written == third_party.page(), "run `make docs`"


def test_what_no_layer_holds_is_not_listed_among_theirs() -> None:
    files = [path.read_text() for path in (ROOT / "layers").glob("*/requirements.txt")]
    layers, _, local = third_party.page().partition("## In the layers")[2].partition("## In the local stack only")
    for package in third_party.locked("app"):
        ships = any(f"\n{package.name}==" in f"\n{text}" for text in files)
        assert (f"| {package.name} |" in layers, f"| {package.name} |" in local) == (ships, not ships), package


def test_no_package_has_a_licence_that_would_bind_ours() -> None:
    for package in third_party.locked("local"):
        assert not [name for name in FORBIDDEN_LICENCES if name in package.licence], package


def test_the_wheel_carries_types_and_the_licence(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert "modulo/py.typed" in names
    assert [name for name in names if name.endswith("dist-info/licenses/LICENSE")]

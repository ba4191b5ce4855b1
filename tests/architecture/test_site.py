"""The website of the documentation: every page is on it, links lead to its pages, and its references are complete."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.site import inline_scripts
from docs.site.pages import address_of, for_website, gather, navigation
from docs.site.settings import allowed
from modulo.settings import Settings
from modulo_client.command.main import COMMANDS
from tests.architecture.documentation import links
from tests.architecture.sources import ROOT, described_routes


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    gather(folder)
    return folder / "pages"


def addresses(value: Any) -> Iterator[str]:
    """The pages of a menu."""
    for each in value.values() if isinstance(value, dict) else value:
        yield from [each] if isinstance(each, str) else addresses(each)


def test_every_page_of_docs_is_on_it(site: Path) -> None:
    pages = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if not (site / address_of(page)).is_file()] == []


def test_every_page_of_the_menu_exists(site: Path) -> None:
    found = list(addresses(navigation()))
    assert len(found) == len(set(found)) > 30
    assert [page for page in found if not (site / page).is_file()] == []
    assert {address_of(f"docs/guides/{each.name}") for each in (ROOT / "docs" / "guides").glob("*.md")} <= set(found)
    assert {"reference/api.md", "reference/command.md", "reference/settings.md", "changelog.md"} <= set(found)


def test_every_link_between_its_pages_leads_to_one(site: Path) -> None:
    for page in site.rglob("*.md"):
        for target in links(page):
            if not re.match(r"[a-z]+:|#", target):
                assert (page.parent / target.partition("#")[0]).is_file(), f"{page.relative_to(site)}: {target}"


def test_links_to_what_is_not_on_it_are_text_and_fences_are_untouched() -> None:
    page = (
        "[a](guides/start.md#stop) [b](../template.yaml) [c](https://c)\n\n```sh run\necho [a](guides/start.md)\n```\n"
    )
    assert for_website("docs/README.md", page, {"docs/guides/start.md"}) == (
        "[a](guides/start.md#stop) b [c](https://c)\n\n```sh\necho [a](guides/start.md)\n```\n"
    )
    assert for_website("README.md", "[a](docs/guides/start.md)", {"docs/guides/start.md"}) == "[a](guides/start.md)"


def test_the_reference_of_the_api_has_every_operation(site: Path) -> None:
    text = (site / "reference" / "api.md").read_text()
    assert {f"### {route.operation}\n\n`{route.method.upper()} {route.path}`\n" for route in described_routes()} == set(
        re.findall(r"^### .+\n\n`.+`\n", text, re.MULTILINE)
    )


def test_the_reference_of_the_command_has_every_command(site: Path) -> None:
    text = (site / "reference" / "command.md").read_text()
    assert {f"modulo {name}" for name in COMMANDS} <= set(re.findall(r"^#+ `(.+)`$", text, re.MULTILINE))
    assert "`--max-wait" in text


def test_the_reference_of_settings_has_every_variable_with_what_it_may_be(site: Path) -> None:
    text = (site / "reference" / "settings.md").read_text()
    assert {name.upper() for name in Settings.model_fields} == set(re.findall(r"^\| `([A-Z_0-9]+)` \|", text, re.M))
    assert "| `MILVUS_HNSW_M` | a whole number, ≥ 2, ≤ 2,048 | `16` |" in text
    assert "| `MILVUS_INDEX` | `HNSW`, `FLAT` | `HNSW` |" in text


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, "text"),
        ({"type": "number", "exclusiveMinimum": 0}, "a number, > 0"),
        ({"type": "string", "minLength": 32}, "text of 32 characters or more"),
        ({"type": "boolean"}, "`true`, `false`"),
        ({"$ref": "#/$defs/Quotas"}, "JSON"),
    ],
)
def test_what_a_variable_may_be_is_told_in_words(schema: dict[str, Any], told: str) -> None:
    assert allowed(schema) == told


def test_its_pages_load_nothing_from_elsewhere(site: Path) -> None:
    text = (site.parent / "mkdocs.yml").read_text()
    configured = yaml.safe_load(re.sub(r"!!python/\S+", "", text))
    assert configured["theme"]["font"] is False
    assert configured["plugins"] == ["search"]
    assert json.dumps(configured).count("http") == 0


def test_scripts_are_moved_out_of_pages(tmp_path: Path) -> None:
    page = '<script src="a.js"></script><script>one()</script><script id="c" type="application/json">{}</script>'
    moved = inline_scripts.moved(page, "guides/start.html", tmp_path)
    [name] = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.js")]
    assert (tmp_path / name).read_text() == "one()"
    assert moved == page.replace("<script>one()</script>", f'<script src="../{name}"></script>')

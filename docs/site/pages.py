"""The pages of the website: those of the repository, at shorter addresses, and those that are made from the code.

A page is written for whoever reads it in the repository. Here its links are turned to where pages stand on the website,
and a link to a file that the website does not hold becomes plain text.
"""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from posixpath import relpath
from urllib.parse import urlsplit

from docs.site.api import api_page
from docs.site.command import command_page
from docs.site.repository import ROOT
from docs.site.settings import settings_page

COMMAND = "docs/guides/command.md#all-commands"
MADE: Mapping[str, tuple[str, Callable[[], str]]] = {
    "infra/openapi.json": ("reference/api.md", api_page),
    COMMAND: ("reference/command.md", command_page),
    "infra/settings.md": ("reference/settings.md", settings_page),
}
"""What each page that is made from the code replaces or continues, and where it stands."""
MOVED = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "docs/README.md": "contents.md",
    "infra/problems.md": "reference/problems.md",
}
IMAGES = {".png", ".svg", ".webp"}
_FENCE = re.compile(r"^( *)(`{3,})([^\n]*)\n.*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_TARGET = re.compile(r'\]\(([^)\s]+)\)|<img[^>]* src="([^"]+)"')
_SOURCE = re.compile(r'(<img[^>]* src=")([^"]+)(")')


def address_of(path: str) -> str:
    """Where a file of the repository stands on the website."""
    if path in MADE:
        return MADE[path][0]
    return MOVED.get(path, path.removeprefix("docs/"))


def linked(page: str, text: str) -> list[str]:
    """The files of the repository that a page links to, in order; of a folder, its first page."""
    addresses = (urlsplit(target) for found in _TARGET.findall(text) for target in found if target)
    return [resolved(page, address.path) for address in addresses if not address.scheme and address.path]


def resolved(page: str, target: str) -> str:
    """The path in the repository of what a page links to."""
    path = ((ROOT / page).parent / target).resolve()
    if (path / "README.md").is_file():
        path /= "README.md"
    return path.relative_to(ROOT).as_posix()


def reachable(start: str) -> set[str]:
    """Every page and image that a reader reaches from a page."""
    found, waiting = set[str](), [start]
    while waiting:
        page = waiting.pop()
        if page not in found and page not in MADE and Path(page).suffix in {".md", *IMAGES}:
            found.add(page)
            waiting += linked(page, _FENCE.sub("", (ROOT / page).read_text())) if page.endswith(".md") else []
    return found


def for_website(page: str, text: str, held: set[str]) -> str:
    """A page with its links turned, and its fences as MkDocs knows them.

    Args:
        page: its path in the repository.
        text: what it says.
        held: the files of the repository that stand on the website.
    """

    def turned(target: str) -> str | None:
        address = urlsplit(target)
        if address.scheme or not address.path:
            return target
        path = resolved(page, address.path)
        if path not in held:
            return None
        place = relpath(address_of(path), str(Path(address_of(page)).parent))
        return f"{place}#{address.fragment}" if address.fragment else place

    def link(found: re.Match[str]) -> str:
        target = turned(found[2])
        return found[1] if target is None else f"[{found[1]}]({target})"

    def source(found: re.Match[str]) -> str:
        return f"{found[1]}{turned(found[2]) or found[2]}{found[3]}"

    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        language = fence[3].partition(" ")[0]
        parts += [_SOURCE.sub(source, _LINK.sub(link, text[end : fence.start()]))]
        parts += [fence[0].replace(f"{fence[2]}{fence[3]}", f"{fence[2]}{language}", 1)]
        end = fence.end()
    return "".join([*parts, _SOURCE.sub(source, _LINK.sub(link, text[end:]))])


def navigation() -> list[dict[str, object]]:
    """The menu: the sections of `docs/README.md` with the pages that each links to."""
    contents = ROOT / "docs" / "README.md"
    _, *sections = re.split(r"^## +", contents.read_text(), flags=re.MULTILINE)
    menu: list[dict[str, object]] = [{"Start": "index.md"}]
    for section in sections:
        title, _, text = section.partition("\n")
        paths = dict.fromkeys(path for path in linked("docs/README.md", text) if path.endswith(".md") or path in MADE)
        pages = [address_of(path) for path in paths]
        if address_of("infra/openapi.json") in pages:
            pages.append(address_of(COMMAND))
        menu.append({title: pages})
    return menu


def gather(folder: Path) -> None:
    """Write every page, image and the configuration into a folder, whose former content is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    held = reachable("README.md") | set(MADE)
    for path in sorted(held - set(MADE)):
        place = folder / "pages" / address_of(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".md"):
            place.write_text(for_website(path, (ROOT / path).read_text(), held))
        else:
            shutil.copyfile(ROOT / path, place)
    for replaced, (address, made) in MADE.items():
        place = folder / "pages" / address
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(for_website(replaced.partition("#")[0], made(), held))
    here = Path(__file__).parent
    for name in ("site.css", "inline_scripts.py"):
        place = folder / ("pages/site.css" if name == "site.css" else name)
        shutil.copyfile(here / name, place)
    settings = (here / "mkdocs.yml").read_text()
    (folder / "mkdocs.yml").write_text(f"{settings}\nnav: {json.dumps(navigation(), ensure_ascii=False)}\n")

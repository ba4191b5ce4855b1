"""The documentation as its tests read it: pages, their links, and their blocks of commands.

A block of commands is a fence `sh` whose info string says what a test does with it:

    sh run              it is run, in the order of the page, and has to succeed
    sh run=background   it is started, is ready once its output ends as shown, and is interrupted at the end
    sh not-run="why"    it is not run, for that reason

A fence marked `output` right behind a block that is run shows what it prints; `…` stands for anything, and a line with
nothing but `…` for any number of lines. A fence with `file=path` is written to that file, with `before=line` before the
one line that reads so, whatever its indentation, and with `after=line` behind it.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.architecture.sources import ROOT, written_files

COMMANDS = {"bash", "console", "sh", "shell"}
ANYTHING = "…"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language, what its info string says, and its text."""

    page: Path
    line: int
    language: str
    tags: dict[str, str]
    text: str
    output: str | None = None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every Markdown page of the repository."""
    return sorted(path for path in written_files() if path.suffix == ".md")


@cache
def tokens(page: Path) -> list[Token]:
    """A page as its parser reads it."""
    return MarkdownIt("commonmark").enable("table").parse(page.read_text())


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page in order, each with the output that is shown right behind it."""
    found = tokens(page)
    for index, token in enumerate(found):
        if token.type != "fence":
            continue
        language, _, tags = token.info.partition(" ")
        following = found[index + 1] if index + 1 < len(found) else None
        shows = following is not None and following.type == "fence" and "output" in following.info.split()
        yield Block(
            page=page,
            line=(token.map or [0])[0] + 1,
            language=language,
            tags={name: value for name, _, value in (tag.partition("=") for tag in shlex.split(tags))},
            text=token.content,
            output=following.content if following and shows else None,
        )


def links(page: Path) -> Iterator[str]:
    """Where a page links to, outside of its blocks and code."""
    for token in tokens(page):
        if token.type == "inline":
            for child in token.children or []:
                target = child.attrGet("href") or child.attrGet("src")
                if isinstance(target, str):
                    yield target
        elif token.type == "html_block":
            yield from (target for found in LINK.findall(token.content) for target in found if target)


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in an address, as GitHub calls them."""
    found = tokens(page)
    headings = [found[index + 1].content for index, token in enumerate(found) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def run_in_order() -> list[Path]:
    """The pages whose blocks are run: the README, then the guides in the order of `docs/README.md`, then the others."""
    index = ROOT / "docs" / "README.md"
    guides = [(index.parent / target).resolve() for target in links(index) if target.startswith("guides/")]
    first = [ROOT / "README.md", *dict.fromkeys(guides)]
    runs = [page for page in pages() if any("run" in block.tags for block in blocks(page))]
    return [page for page in first if page in runs] + [page for page in runs if page not in first]


def as_pattern(shown: str) -> re.Pattern[str]:
    """What an output, with a line end, has to match to be the one that is shown."""
    parts = []
    for line in shown.rstrip("\n").split("\n"):
        if line.strip() == ANYTHING:
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r"[^\n]*".join(re.escape(part.rstrip()) for part in line.split(ANYTHING)) + r"[ \t]*\n")
    return re.compile("".join(parts) + r"\n*")

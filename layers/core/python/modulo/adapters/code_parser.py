"""Reads source code and settings: a heading for each definition on the outermost level, its text below."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from modulo.adapters.decoding import clean, decode, one_line, read_whole
from modulo.adapters.opened import OpenedDocument
from modulo.domain.document import Block, BlockKind, Page
from modulo.domain.file import DocumentInfo

MAX_BYTES = 16 * 1024**2
_LONGEST_LINE = 2_000  # longer ones, as of minified scripts, define nothing
_LONGEST_NAME = 120
_DEEPEST_INDENT = 80
_LINE_END = re.compile("\r\n?|\n")
_ATTRIBUTES = (
    r"(?:(?:export|default|declare|abstract|public|private|protected|internal|static|final|sealed|async|unsafe|data"
    r"|open|override|inline|virtual|partial|extern|pub(?:\(\w{1,20}\))?)\s{1,8}){0,6}"
)
_DEFINITION = re.compile(
    _ATTRIBUTES + r"(?:def|class|function\*?|func|fun|fn|struct|enum|union|trait|interface|protocol|type|module"
    r"|namespace|object|record|mod|macro_rules!|package|extension|mixin|impl(?:<[^<>]{0,80}>)?)\s{1,8}"
    r"(?:\([^()]{0,120}\)\s{0,8})?(?P<name>[\w$.:]{1,120})"
    r"|(?:export\s{1,8})?(?:const|let|var)\s{1,8}(?P<bound>[\w$]{1,120})[^=\n]{0,120}=\s{0,8}"
    r"(?:async\s{1,8})?(?:function\b|\([^()]{0,200}\)[^=\n]{0,80}=>|\w{1,60}\s{0,8}=>)"
    r"|(?P<shell>[\w.-]{1,120})\s{0,8}\(\)\s{0,8}\{"
    r"|(?:[A-Za-z_][\w:<>,]{0,80}[ \t*&]{1,8}){1,6}(?P<native>~?[A-Za-z_][\w:~]{0,120})\([^;={}]{0,400}\{?$"
)
_STATEMENT = re.compile(
    r"(?:create|alter)\s{1,8}(?:or\s{1,8}replace\s{1,8})?(?:(?:unique|temporary|temp|materialized)\s{1,8}){0,3}"
    r"(?:table|view|index|function|procedure|trigger|type|schema|sequence)\s{1,8}"
    r"(?:(?:if\s{1,8}not\s{1,8}exists|if\s{1,8}exists|only|concurrently)\s{1,8}){0,3}(?P<name>[\w.\"`\[\]]{1,120})",
    re.IGNORECASE,
)
_SECTION = re.compile(r"\[{1,2}\s{0,8}(?P<name>[^\[\]\n]{1,120})\]{1,2}\s{0,8}(?:[#;].{0,200})?$")
_KEY = re.compile(r"(?P<name>[\w.\"'/-]{1,120})\s{0,8}:\s{0,8}(?:[|>&#].{0,200})?$")
_LEADING = re.compile(r"(?://|#(?!!)|/\*|\*|--|@|template\s*<|#\[)")  # what stands before a definition
_CONTROL = frozenset(
    [
        *("if", "else", "for", "while", "switch", "return", "catch", "do", "new", "case", "throw", "goto", "sizeof"),
        *("elif", "until"),
    ]
)
_BLANK = re.compile(r"\n[^\S\n]*\n")


@dataclass(frozen=True, slots=True)
class CodeParser:
    """A reader of source code; `definition` is how the first line of a part looks."""

    definition: re.Pattern[str] = _DEFINITION

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Read it.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        text = _cleaned(decode(read_whole(content, MAX_BYTES)))
        return OpenedDocument(
            DocumentInfo(), lambda: iter([Page(1, tuple(_blocks(text, self.definition)))]), spoken=False
        )


def sql_parser() -> CodeParser:
    """A reader of SQL."""
    return CodeParser(_STATEMENT)


def yaml_parser() -> CodeParser:
    """A reader of YAML, by its outermost keys."""
    return CodeParser(_KEY)


def toml_parser() -> CodeParser:
    """A reader of TOML and INI, by their sections."""
    return CodeParser(_SECTION)


def _cleaned(text: str) -> str:
    """The text with its indentation, which other texts lose beyond a few spaces."""
    lines = []
    for line in _LINE_END.split(text):
        bare = line.lstrip(" \t")
        lines.append(line[: min(len(line) - len(bare), _DEEPEST_INDENT)] + clean(bare).replace("\n", " ").rstrip())
    return "\n".join(lines)


def _blocks(text: str, definition: re.Pattern[str]) -> Iterator[Block]:
    part: list[str] = []
    for line in text.split("\n"):
        if name := _defined(line, definition):
            above = _comments(part)
            yield from _written(part)
            yield Block(BlockKind.heading, name, 1)
            part = above
        part.append(line)
    yield from _written(part)


def _defined(line: str, definition: re.Pattern[str]) -> str:
    """The name of what a line on the outermost level defines, or nothing."""
    if not line or line[0].isspace() or len(line) > _LONGEST_LINE:
        return ""
    found = definition.match(line)
    if not found or line.split("(", maxsplit=1)[0].split(maxsplit=1)[0] in _CONTROL:
        return ""
    name = one_line(next(filter(None, found.groupdict().values()), ""))[:_LONGEST_NAME].strip("\"'`:. ")
    return "" if name in _CONTROL else name


def _comments(part: list[str]) -> list[str]:
    """Takes away the comments and decorators that end a part: they belong to what follows."""
    start = len(part)
    while start and _LEADING.match(part[start - 1].lstrip()):
        start -= 1
    taken = part[start:]
    del part[start:]
    return taken


def _written(part: list[str]) -> Iterator[Block]:
    """A part's paragraphs, so that a long one is cut at blank lines."""
    for piece in _BLANK.split("\n".join(part)):
        if piece.strip():
            yield Block(BlockKind.text, piece.strip("\n").rstrip())

"""Reads source code and configuration: each top-level definition becomes a heading with its text below."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.text_decoding import clean, decode, one_line, read_whole
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.files.file import DocumentInfo

MAX_BYTES = 16 * 1024**2
_MAX_LINE_LENGTH = 2_000  # longer lines, as in minified scripts, are not searched for definitions
_MAX_NAME_LENGTH = 120
_MAX_INDENT = 80  # characters
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
_LEADING = re.compile(r"(?://|#(?!!)|/\*|\*|--|@|template\s*<|#\[)")  # comments and decorators of a definition
_CONTROL_KEYWORDS = frozenset(
    [
        *("if", "else", "for", "while", "switch", "return", "catch", "do", "new", "case", "throw", "goto", "sizeof"),
        *("elif", "until"),
    ]
)
_BLANK = re.compile(r"\n[^\S\n]*\n")


@dataclass(frozen=True, slots=True)
class CodeParser:
    """A parser of source code; `definition` matches the first line of a top-level definition."""

    definition: re.Pattern[str] = _DEFINITION

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        text = _cleaned(decode(read_whole(content, MAX_BYTES)))
        return OpenedDocument(
            DocumentInfo(), lambda: iter([Page(1, tuple(_blocks(text, self.definition)))]), natural_language=False
        )


def sql_parser() -> CodeParser:
    """A parser of SQL, whose definitions are CREATE and ALTER statements."""
    return CodeParser(_STATEMENT)


def yaml_parser() -> CodeParser:
    """A parser of YAML, whose definitions are the top-level keys."""
    return CodeParser(_KEY)


def toml_parser() -> CodeParser:
    """A parser of TOML and INI, whose definitions are the sections."""
    return CodeParser(_SECTION)


def _cleaned(text: str) -> str:
    """The cleaned text with its indentation, which `clean` alone would shorten."""
    lines = []
    for line in _LINE_END.split(text):
        bare = line.lstrip(" \t")
        lines.append(line[: min(len(line) - len(bare), _MAX_INDENT)] + clean(bare).replace("\n", " ").rstrip())
    return "\n".join(lines)


def _blocks(text: str, definition: re.Pattern[str]) -> Iterator[Block]:
    part: list[str] = []
    for line in text.split("\n"):
        if name := _defined_name(line, definition):
            above = _take_comments(part)
            yield from _paragraphs(part)
            yield Block(BlockKind.heading, name, 1)
            part = above
        part.append(line)
    yield from _paragraphs(part)


def _defined_name(line: str, definition: re.Pattern[str]) -> str:
    """The name that a top-level line defines, or an empty text."""
    if not line or line[0].isspace() or len(line) > _MAX_LINE_LENGTH:
        return ""
    found = definition.match(line)
    if not found or line.split("(", maxsplit=1)[0].split(maxsplit=1)[0] in _CONTROL_KEYWORDS:
        return ""
    name = one_line(next(filter(None, found.groupdict().values()), ""))[:_MAX_NAME_LENGTH].strip("\"'`:. ")
    return "" if name in _CONTROL_KEYWORDS else name


def _take_comments(part: list[str]) -> list[str]:
    """Remove and return the comments and decorators at the end of a part: they belong to the next definition."""
    start = len(part)
    while start and _LEADING.match(part[start - 1].lstrip()):
        start -= 1
    taken = part[start:]
    del part[start:]
    return taken


def _paragraphs(part: list[str]) -> Iterator[Block]:
    """A block for each stretch between blank lines, so that chunks can be cut there."""
    for piece in _BLANK.split("\n".join(part)):
        if piece.strip():
            yield Block(BlockKind.text, piece.strip("\n").rstrip())

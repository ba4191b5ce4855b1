"""Reads Markdown: headings, lists, tables and code, without the markup."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from markdown_it import MarkdownIt
from markdown_it.token import Token

from modulo.adapters.parsing.block_builder import BlockBuilder
from modulo.adapters.parsing.html_blocks import blocks_in
from modulo.adapters.parsing.html_links import shown_target
from modulo.adapters.parsing.html_parser import html_tree
from modulo.adapters.parsing.linear_notation import built_fractions, subscript, superscript
from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.table_blocks import table_blocks
from modulo.adapters.parsing.text_decoding import clean, decode, one_line, read_whole
from modulo.domain.documents.document import Block, Page
from modulo.domain.errors import EmptyFile
from modulo.domain.files.file import DocumentInfo

MAX_BYTES = 16 * 1024**2

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(\w+)[ \t]*:[ \t]*(\S.*)$", re.MULTILINE)


class MarkdownParser:
    """A parser of CommonMark with tables, strikethrough and YAML front matter."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        text = clean(decode(read_whole(content, MAX_BYTES)))
        front = _FRONT_MATTER.match(text)
        fields = {name.lower(): value.strip("\"' ") for name, value in _FIELD.findall(front[1])} if front else {}
        body = text[front.end() :] if front else text
        return OpenedDocument(_info(fields), lambda: iter([Page(1, tuple(_blocks(body)))]))


def _info(fields: Mapping[str, str]) -> DocumentInfo:
    return DocumentInfo(
        title=fields.get("title"),
        author=fields.get("author"),
        subject=fields.get("description"),
        keywords=fields.get("keywords") or fields.get("tags"),
        creation_date=fields.get("date"),
    )


def _blocks(text: str) -> list[Block]:
    reader = _Reader()
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        reader.read(token)
    reader.builder.flush()
    return reader.builder.blocks


@dataclass(slots=True)
class _Reader:
    """Reads the tokens of a document; each method `_<type>` takes the tokens of a type."""

    builder: BlockBuilder = field(default_factory=BlockBuilder)
    rows: list[list[str]] | None = None
    level: int = 0

    def read(self, token: Token) -> None:
        """Take the next token; types without a method are ignored."""
        action = getattr(self, f"_{token.type}", None)
        if action:
            action(token)

    def _inline(self, token: Token) -> None:
        text = _words(token.children or [])
        if self.rows is not None:
            self.rows[-1].append(text)
        elif self.level:
            self.builder.add_heading(one_line(text), self.level)
        else:
            self.builder.add_text(text)

    def _heading_open(self, token: Token) -> None:
        self.level = int(token.tag[1:])

    def _heading_close(self, _: Token) -> None:
        self.level = 0

    def _fence(self, token: Token) -> None:
        self.builder.add_text(token.content.strip("\n"))

    _code_block = _fence

    def _html_block(self, token: Token) -> None:
        with suppress(EmptyFile):
            self.builder.add(*blocks_in(html_tree(token.content)))

    def _table_open(self, _: Token) -> None:
        self.rows = []

    def _tr_open(self, _: Token) -> None:
        if self.rows is not None:
            self.rows.append([])

    def _table_close(self, _: Token) -> None:
        self.builder.add(*table_blocks(self.rows or []))
        self.rows = None

    def _bullet_list_open(self, _: Token) -> None:
        self.builder.open_list(None)

    def _ordered_list_open(self, token: Token) -> None:
        self.builder.open_list(int(token.attrs.get("start", 1)))

    def _list_item_open(self, _: Token) -> None:
        self.builder.start_item()

    def _bullet_list_close(self, _: Token) -> None:
        self.builder.close_list()

    _ordered_list_close = _bullet_list_close


def _words(tokens: Sequence[Token]) -> str:
    """The text of inline tokens, without their markup; where links lead is told as in HTML."""
    words: list[str] = []
    opened: list[tuple[int, str]] = []  # where in `words` each link, superscript and subscript starts
    for token in tokens:
        tag = token.content.strip().lower()
        if token.type in {"text", "code_inline"}:
            words.append(token.content)
        elif token.type == "softbreak":
            words.append(" ")
        elif token.type == "hardbreak" or (token.type == "html_inline" and tag.startswith("<br")):
            words.append("\n")
        elif token.type == "image":
            words.append(_words(token.children or []))
        elif token.type == "link_open":
            opened.append((len(words), str(token.attrs.get("href") or "")))
        elif token.type == "html_inline" and tag in {"<sup>", "<sub>"}:
            opened.append((len(words), tag))
        elif opened and (token.type == "link_close" or tag in {"</sup>", "</sub>"}):
            start, what = opened.pop()
            words[start:] = [_ended("".join(words[start:]), what)]
    return built_fractions("".join(words)).strip()


def _ended(text: str, what: str) -> str:
    """The text of a link with its target, of a superscript or of a subscript."""
    if what == "<sup>":
        return superscript(text)
    if what == "<sub>":
        return subscript(text)
    target = shown_target(what, text)
    return f"{text} ({target})" if target and text.strip() else text

"""Reads Markdown: headings, lists, tables and code, without its marks."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from markdown_it import MarkdownIt
from markdown_it.token import Token

from modulo.adapters.decoding import clean, decode, one_line, read_whole
from modulo.adapters.flow import Flow
from modulo.adapters.html_blocks import blocks_in
from modulo.adapters.html_parser import html_tree
from modulo.adapters.opened import OpenedDocument
from modulo.adapters.tabulating import table_blocks
from modulo.domain.document import Block, Page
from modulo.domain.errors import EmptyFile
from modulo.domain.file import DocumentInfo

MAX_BYTES = 16 * 1024**2

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(\w+)[ \t]*:[ \t]*(\S.*)$", re.MULTILINE)


class MarkdownParser:
    """A reader of Markdown with tables."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Read it.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
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
    reader.flow.add()
    return reader.flow.blocks


@dataclass(slots=True)
class _Reader:
    """Reads token by token."""

    flow: Flow = field(default_factory=Flow)
    rows: list[list[str]] | None = None
    level: int = 0

    def read(self, token: Token) -> None:
        """Take the next token; those that mean nothing here are passed over."""
        action = getattr(self, f"_{token.type}", None)
        if action:
            action(token)

    def _inline(self, token: Token) -> None:
        text = _words(token.children or [])
        if self.rows is not None:
            self.rows[-1].append(text)
        elif self.level:
            self.flow.heading(one_line(text), self.level)
        else:
            self.flow.text(text)

    def _heading_open(self, token: Token) -> None:
        self.level = int(token.tag[1:])

    def _heading_close(self, _: Token) -> None:
        self.level = 0

    def _fence(self, token: Token) -> None:
        self.flow.text(token.content.strip("\n"))

    _code_block = _fence

    def _html_block(self, token: Token) -> None:
        with suppress(EmptyFile):
            self.flow.add(*blocks_in(html_tree(token.content)))

    def _table_open(self, _: Token) -> None:
        self.rows = []

    def _tr_open(self, _: Token) -> None:
        if self.rows is not None:
            self.rows.append([])

    def _table_close(self, _: Token) -> None:
        self.flow.add(*table_blocks(self.rows or []))
        self.rows = None

    def _bullet_list_open(self, _: Token) -> None:
        self.flow.open_list(None)

    def _ordered_list_open(self, token: Token) -> None:
        self.flow.open_list(int(token.attrs.get("start", 1)))

    def _list_item_open(self, _: Token) -> None:
        self.flow.item()

    def _bullet_list_close(self, _: Token) -> None:
        self.flow.close_list()

    _ordered_list_close = _bullet_list_close


def _words(tokens: Sequence[Token]) -> str:
    """What the parts of a paragraph say."""
    words = []
    for token in tokens:
        if token.type in {"text", "code_inline"}:
            words.append(token.content)
        elif token.type == "softbreak":
            words.append(" ")
        elif token.type == "hardbreak" or (token.type == "html_inline" and token.content.lower().startswith("<br")):
            words.append("\n")
        elif token.type == "image":
            words.append(_words(token.children or []))
    return "".join(words).strip()

"""Reads HTML: headings, paragraphs, lists and tables, without what frames a page's own text."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree, html

from modulo.adapters.decoding import decode, one_line, read_whole
from modulo.adapters.html_blocks import blocks_in, text_in
from modulo.adapters.opened import OpenedDocument
from modulo.domain.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, EmptyFile
from modulo.domain.file import DocumentInfo
from modulo.domain.language import language_named

_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_MAIN_SHARE = 4  # a part that holds a quarter of the text is the page's own


class HtmlParser:
    """A reader of HTML."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Read it; nothing that it refers to is fetched.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        found = read_whole(content)
        declared = _CHARSET.search(found, 0, 4096)
        root = html_tree(decode(found, declared[1].decode("ascii", "ignore") if declared else None))
        info = _info(root)
        return OpenedDocument(info, lambda: iter([Page(1, tuple(_blocks(root, info.title)))]))


def html_tree(text: str) -> html.HtmlElement:
    """The elements of a page or of a part of one.

    Raises:
        EmptyFile: there are none.
        CorruptFile: they cannot be told.
    """
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = html.document_fromstring(text.replace("\0", "").encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:
        raise EmptyFile from error
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CorruptFile from error
    if any("depth" in entry.message for entry in parser.error_log):
        raise CorruptFile("The elements of the page are nested too deeply.")
    return root


def _blocks(root: html.HtmlElement, title: str | None) -> Iterator[Block]:
    """The page's own part; its title is its first heading where it has no other on that level."""
    own = _own_part(root)
    blocks = blocks_in(own) or blocks_in(own, framed=True)
    if blocks and title and not any(block.kind is BlockKind.heading and block.level == 1 for block in blocks):
        yield Block(BlockKind.heading, title, 1)
    yield from blocks


def _own_part(root: html.HtmlElement) -> html.HtmlElement:
    body = root.find("body")
    whole = root if body is None else body
    for tag in ("main", "article"):
        parts = list(whole.iter(tag))
        if len(parts) == 1 and len(text_in(parts[0])) * _MAIN_SHARE > len(text_in(whole)):
            return parts[0]
    return whole


def _info(root: html.HtmlElement) -> DocumentInfo:
    said: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").lower()
        said.setdefault(name, one_line(meta.get("content") or ""))
    title = root.find(".//title")
    return DocumentInfo(
        title=one_line(title.text_content()) or None if title is not None else said.get("og:title") or None,
        author=said.get("author") or said.get("article:author") or None,
        subject=said.get("description") or said.get("og:description") or None,
        keywords=said.get("keywords") or None,
        creator=said.get("generator") or None,
        creation_date=said.get("article:published_time") or said.get("date") or None,
        mod_date=said.get("article:modified_time") or said.get("last-modified") or None,
        language=language_named(root.get("lang") or said.get("og:locale") or ""),
    )

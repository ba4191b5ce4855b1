"""Reads HTML: headings, paragraphs, lists and tables of the main content, without navigation and boilerplate."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree, html

from modulo.adapters.parsing.html_blocks import blocks_in, text_in
from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.text_decoding import decode, one_line, read_whole
from modulo.adapters.parsing.titles import chosen_title
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, EmptyFile, OversizedFile
from modulo.domain.files.file import DocumentInfo
from modulo.domain.text.language import language_named

_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}charset\s{0,8}=\s{0,8}["']?([\w.:-]{1,40})|<\?xml[^>]{0,100}encoding\s{0,8}=\s{0,8}["']([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_HEAD_BYTES = 256 * 1024  # some pages hold long styles before they say in which encoding they are
MAX_ATTRIBUTES = 1_000
"""Of one element: the library compares each with all others."""
_ATTRIBUTE = r"""(?:[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"?|'[^']*+'?|[^\s>]*+))?+)"""
_TAG = re.compile(rf"<[a-zA-Z][^\s/>]*+(?:(?P<many>{_ATTRIBUTE}{{{MAX_ATTRIBUTES + 1}}})|{_ATTRIBUTE}*+)")
_MAIN_SHARE = 4  # an element with a quarter of the text is the main content


class HtmlParser:
    """A parser of HTML."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a page; nothing that it links to is fetched.

        Raises:
            FileRejected: the page cannot be read, for the reason that the subclass names.
        """
        found = read_whole(content)
        root = html_tree(decode(found, declared_encoding(found)))
        info = _info(root)
        return OpenedDocument(info, lambda: iter([Page(1, tuple(_blocks(root, chosen_title(info.title))))]))


def declared_encoding(found: bytes) -> str | None:
    """The label of the encoding that a page names in its head; None where it names none."""
    declared = _CHARSET.search(found, 0, _HEAD_BYTES)
    label = (declared[1] or declared[2]).decode("ascii", "ignore").lower() if declared else None
    return "utf-8" if label and label.startswith("utf-16") else label  # a label in ASCII cannot be in UTF-16


def html_tree(text: str) -> html.HtmlElement:
    """The root element of a page, or of a fragment of one.

    Raises:
        EmptyFile: there are no elements.
        CorruptFile: the markup cannot be parsed, or is nested too deeply.
        OversizedFile: an element has more than `MAX_ATTRIBUTES`.
    """
    if any(tag["many"] for tag in _TAG.finditer(text)):
        raise OversizedFile(f"An element of a page may have at most {MAX_ATTRIBUTES} attributes.")
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
    """The blocks of the main content; the title becomes the first heading if there is no other of level 1."""
    main = _main_content(root)
    is_main = main.tag != "body" and main is not root
    blocks = blocks_in(main, is_main=is_main) or blocks_in(main, is_main=is_main, keep_boilerplate=True)
    if blocks and title and not any(block.kind is BlockKind.heading and block.level == 1 for block in blocks):
        yield Block(BlockKind.heading, title, 1)
    yield from blocks


def _main_content(root: html.HtmlElement) -> html.HtmlElement:
    body = root.find("body")
    whole = root if body is None else body
    for path in (".//main", './/*[@role="main"]', ".//article"):
        parts = whole.findall(path)
        if len(parts) == 1 and len(text_in(parts[0])) * _MAIN_SHARE > len(text_in(whole)):
            return parts[0]
    return whole


def _info(root: html.HtmlElement) -> DocumentInfo:
    metadata: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").lower()
        metadata.setdefault(name, one_line(meta.get("content") or ""))
    title = root.find(".//title")
    return DocumentInfo(
        title=one_line(title.text_content()) or None if title is not None else metadata.get("og:title") or None,
        author=metadata.get("author") or metadata.get("article:author") or None,
        subject=metadata.get("description") or metadata.get("og:description") or None,
        keywords=metadata.get("keywords") or None,
        creator=metadata.get("generator") or None,
        creation_date=metadata.get("article:published_time") or metadata.get("date") or None,
        mod_date=metadata.get("article:modified_time") or metadata.get("last-modified") or None,
        language=language_named(root.get("lang") or metadata.get("og:locale") or ""),
    )

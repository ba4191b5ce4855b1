"""Reads a DOCX as blocks: paragraphs, tables, notes, comments, headers, footers and embedded documents."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from modulo.adapters.parsing.mail_message import inside, message_of
from modulo.adapters.parsing.mail_text import payload_of
from modulo.adapters.parsing.office.docx_numbering import BULLET, Numbering
from modulo.adapters.parsing.office.docx_styles import ParagraphStyle, Styles, docx_styles
from modulo.adapters.parsing.office.docx_text import Paragraph, TextReader
from modulo.adapters.parsing.office.elements import attribute, child, is_on, link, local
from modulo.adapters.parsing.office.grid import Cell, grid
from modulo.adapters.parsing.office.ooxml import Package
from modulo.adapters.parsing.office.related_parts import RelatedParts, comment_line
from modulo.adapters.parsing.parser_registry import parser_for
from modulo.adapters.parsing.table_blocks import table_blocks
from modulo.adapters.parsing.text_decoding import one_line
from modulo.domain.documents.document import Block, BlockKind
from modulo.domain.errors import FileRejected, OversizedFile
from modulo.domain.files.media import HTML, TEXT

_WRAPPERS = frozenset({"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag", "AlternateContent", "Choice"})
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes", "commentReference": "comments"}
_MAX_EMBEDDED_BYTES = 64 * 1024**2
_MAX_HEADER_ROWS = 5
_MAX_DEPTH = 3  # of documents in documents
_FORMATS = {"htm": HTML, "html": HTML, "xhtml": HTML, "txt": TEXT}
_WORD = frozenset({"docx", "docm", "dotx"})
_MAIL_ARCHIVES = frozenset({"mht", "mhtml"})


@dataclass(slots=True)
class Item:
    """What a paragraph or table adds to the document: a block or the item of a list, then notes, boxes and charts."""

    blocks: list[Block] = field(default_factory=list)
    listed: str = ""
    after: list[Block] = field(default_factory=list)
    breaks: int = 0
    breaks_before: int = 0


class Story:
    """Reads the block-level content of one document."""

    def __init__(self, package: Package, main: str, *, rendered: bool, depth: int = 0) -> None:
        """If `rendered`, pages end where Word last noted it; `depth` counts the documents around this one."""
        self._package = package
        self._depth = depth
        self._parts = RelatedParts(package, main)
        root = next(self._parts.trees("styles"), None)
        self._styles = docx_styles(root) if root is not None else Styles()
        self._numbering = Numbering(next(self._parts.trees("numbering"), None), self._styles.numberings)
        self._text = TextReader(self._styles, rendered=rendered)
        self._notes = {
            (kind, attribute(note, "id")): note
            for kind in _NOTES.values()
            for root in self._parts.trees(kind)
            for note in root
        }
        self._embeds: dict[str, list[Block]] = {}  # by name: each is read once, however often it stands here
        self._titled = False  # whether the title has come: all headings after it are one level lower

    def item(self, element: etree._Element) -> Item:
        """What a paragraph, a table or an embedded document adds."""
        name = local(element)
        if name == "p":
            return self._paragraph(element)
        if name == "tbl":
            return self._table(element)
        return Item(blocks=self._embedded(element))

    def blocks(self, container: etree._Element) -> Iterator[Block]:
        """The blocks of an element that holds paragraphs and tables."""
        listed: list[str] = []
        for element in _inside(container, "p", "tbl", "altChunk"):
            item = self.item(element)
            if listed and (item.blocks or item.after):
                yield Block(BlockKind.text, "\n".join(listed))
                listed = []
            listed += [item.listed] if item.listed else []
            yield from item.blocks
            yield from item.after
        if listed:
            yield Block(BlockKind.text, "\n".join(listed))

    def heads(self, kind: str) -> list[Block]:
        """The blocks of all headers or footers, each once, without page numbers."""
        body, self._text = self._text, TextReader(self._styles, rendered=True, in_head=True)
        found = [block for root in self._parts.trees(kind) for block in self._beside(root)]
        self._text = body
        return [block for block in dict.fromkeys(found) if any(map(str.isalpha, block.text))]

    def _beside(self, container: etree._Element) -> Iterator[Block]:
        """The blocks of a text box, a header or a footer, where headings are text."""
        for block in self.blocks(container):
            yield Block(BlockKind.text, block.text) if block.kind is BlockKind.heading else block

    def _paragraph(self, element: etree._Element) -> Item:
        paragraph = self._text.paragraph(element)
        text = paragraph.words.text
        item = Item(breaks=paragraph.breaks, breaks_before=paragraph.breaks_before)
        if text:
            style, name = self._styles.paragraph(child(element, "pPr"))
            label, depth = self._label(style, name)
            if style.level:
                self._titled = self._titled or style.title
                level = style.level if style.title else style.level + self._titled
                numbered = f"{label} {text}" if label not in {"", BULLET} else text
                item.blocks.append(Block(BlockKind.heading, one_line(numbered), level))
            elif style.listed:
                item.listed = f"{'  ' * depth}{label} {text}" if label else f"{'  ' * depth}{text}"
            else:
                item.blocks.append(Block(BlockKind.text, text))
        if paragraph.references:
            item.after = list(self._references(paragraph))
        return item

    def _label(self, style: ParagraphStyle, name: str) -> tuple[str, int]:
        """The number of a paragraph, or a bullet, and its level in its list."""
        if not style.numbering:
            return BULLET, style.depth or 0
        depth = self._numbering.depth(style.numbering, name, style.depth)
        return self._numbering.label(style.numbering, depth), depth

    def _references(self, paragraph: Paragraph) -> Iterator[Block]:
        """The notes, comments, text boxes, charts and diagrams of a paragraph, in order."""
        for part in paragraph.references:
            name = local(part)
            if name == "txbxContent":
                yield from self._beside(part)
            elif name in _NOTES:
                text = self._note(_NOTES[name], attribute(part, "id"))
                if text:
                    yield Block(BlockKind.text, text)
            else:
                yield from self._parts.graphics(part)

    def _note(self, kind: str, number: str) -> str:
        """A note or comment as one line; what it refers to itself is left out."""
        note = self._notes.get((kind, number))
        if note is None:
            return ""
        text = one_line(" ".join(self._text.paragraph(element).words.text for element in note.iter("{*}p")))
        return comment_line(attribute(note, "author"), "", text) if text and kind == "comments" else text

    def _table(self, table: etree._Element) -> Item:
        item = Item()
        rows = grid(self._row(row, item) for row in _inside(table, "tr") if child(row, "trPr", "del") is None)
        headers = 0
        for row in _inside(table, "tr"):
            if headers == _MAX_HEADER_ROWS or not is_on(child(row, "trPr", "tblHeader")):
                break
            headers += 1
        item.blocks = table_blocks(rows, header_rows=max(1, headers))
        return item

    def _row(self, row: etree._Element, item: Item) -> list[Cell]:
        skipped = child(row, "trPr", "gridBefore")
        cells = [] if skipped is None else [Cell("", _number(skipped, 1))]
        for cell in _inside(row, "tc"):
            span, merged = child(cell, "tcPr", "gridSpan"), child(cell, "tcPr", "vMerge")
            below = merged is not None and attribute(merged, "val") != "restart"
            cells.append(Cell(" ".join(self._cell(cell, item)), _number(span, 1), below))
        return cells

    def _cell(self, cell: etree._Element, item: Item) -> Iterator[str]:
        """The texts of a cell's paragraphs and of the tables in it; what they refer to follows the table."""
        for element in _inside(cell, "p", "tbl"):
            found = self.item(element)
            item.breaks += found.breaks
            item.after += found.after
            yield from (one_line(text) for text in (found.listed, *(block.text for block in found.blocks)) if text)

    def _embedded(self, element: etree._Element) -> list[Block]:
        """The blocks of a document of another format that stands in this one (altChunk); none if it cannot be read."""
        relation = self._parts.relation(link(element))
        if relation is None:
            return []
        known = self._embeds.get(relation.target)
        if known is None:
            known = self._embeds[relation.target] = self._read(relation.target)
        return known

    def _read(self, name: str) -> list[Block]:
        extension = name.rpartition(".")[2].lower()
        try:
            content = self._package.read(name, _MAX_EMBEDDED_BYTES)
            if extension in _MAIL_ARCHIVES:
                content, extension = _web_page(content), "html"
            if extension in _WORD:
                return self._embedded_word(content)
            media_type = _FORMATS.get(extension) or (HTML if content.lstrip()[:1] == b"<" else "")
            pages = parser_for(media_type).parse(io.BytesIO(content)).pages()
            return [block for page in pages for block in page.blocks]
        except OversizedFile:
            raise
        except FileRejected:
            return []

    def _embedded_word(self, content: bytes) -> list[Block]:
        if self._depth == _MAX_DEPTH:
            return []
        package = Package(io.BytesIO(content))
        main = package.main()
        body = child(package.tree(main), "body")
        story = Story(package, main, rendered=True, depth=self._depth + 1)
        return list(story.blocks(body)) if body is not None else []


def _inside(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """The parts with one of these names that stand in an element, or in wrappers in it."""
    for part in element:
        name = local(part)
        if name in names:
            yield part
        elif name in _WRAPPERS:
            yield from _inside(part, *names)


def _number(element: etree._Element | None, default: int) -> int:
    text = attribute(element, "val") if element is not None else ""
    return min(int(text), 100) if text.isdecimal() and len(text) < 9 else default


def _web_page(content: bytes) -> bytes:
    """The page in a web archive, which is written like an e-mail."""
    parts = [message_of(content)]
    while parts:  # `walk` would recurse
        part = parts.pop()
        if part.get_content_type() == "text/html":
            return payload_of(part)
        parts += reversed(inside(part))
    return b""

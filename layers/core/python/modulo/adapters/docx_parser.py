"""Reads DOCX: headings by style, lists, tables and notes, paragraph by paragraph."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from lxml import etree

from modulo.adapters.decoding import clean, one_line
from modulo.adapters.docx_styles import ParagraphStyle, docx_styles, style_of
from modulo.adapters.ooxml import Package, attribute, child, local
from modulo.adapters.opened import OpenedDocument
from modulo.adapters.tabulating import table_blocks
from modulo.domain.document import Block, BlockKind, Page

_BREAK = b"lastRenderedPageBreak"
_UNSEEN = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "rPr", "pPr"})
_BREAKS = frozenset({"br", "lastRenderedPageBreak"})
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}
_SIGNS = {"tab": "\t", "cr": "\n", "noBreakHyphen": "-"}


class DocxParser:
    """A reader of DOCX."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a document; its content must stay open until the last page has been read.

        Pages are those that Word drew last, where it noted them, else those between page breaks.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        package = Package(content)
        main = package.main()
        breaks = _rendered_breaks(package, main)
        reader = _Reader(package, main, rendered=breaks > 0)
        return OpenedDocument(package.info(breaks + 1 if breaks else None), reader.pages)


def _rendered_breaks(package: Package, main: str) -> int:
    count, tail = 0, b""
    with package.open(main) as part:
        while step := part.read(1024**2):
            count += (tail + step).count(_BREAK)
            tail = step[-len(_BREAK) + 1 :]
    return count


@dataclass(slots=True)
class _Paragraph:
    """What a paragraph holds; `breaks` are pages that end in it, `breaks_before` those before its text."""

    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    boxes: list[etree._Element] = field(default_factory=list)
    breaks: int = 0
    breaks_before: int = 0

    @property
    def text(self) -> str:
        """Its text."""
        return clean("".join(self.words)).strip()

    def end_page(self) -> None:
        """A page ends here."""
        self.breaks += 1
        if not any(word.strip() for word in self.words):
            self.breaks_before += 1


@dataclass(slots=True)
class _Page:
    """The page being read; items of a list wait to become one block."""

    number: int = 1
    blocks: list[Block] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    titled: bool = False  # the document's title stands above all headings that follow

    def add(self, *blocks: Block) -> None:
        """Further blocks."""
        self.end_list()
        self.blocks += blocks

    def end_list(self) -> None:
        """What follows is no item."""
        if self.items:
            self.blocks.append(Block(BlockKind.text, "\n".join(self.items)))
            self.items = []

    def turned(self, breaks: int) -> Iterator[Page]:
        """The page that is finished when `breaks` more end."""
        if breaks:
            self.end_list()
            yield Page(self.number, tuple(self.blocks))
            self.number += breaks
            self.blocks = []


class _Reader:
    """Reads one document."""

    def __init__(self, package: Package, main: str, *, rendered: bool) -> None:
        self._package = package
        self._main = main
        self._rendered = rendered
        wanted = {"styles", *_NOTES.values()}
        links = [link for link in package.relations(main).values() if link.kind in wanted and link.target in package]
        parts = {link.kind: package.tree(link.target) for link in links}
        self._styles = docx_styles(parts["styles"]) if "styles" in parts else {}
        self._notes = {
            (kind, attribute(note, "id")): one_line(" ".join(_texts(note)))
            for kind in _NOTES.values()
            for note in parts.get(kind, ())
        }

    def pages(self) -> Iterator[Page]:
        """The pages in order."""
        page = _Page()
        for element in self._package.elements(self._main, "p", "tbl"):
            if local(element) == "tbl":
                found = _Paragraph()
                self._walk(element, found)  # for the pages that end in it
                page.add(*table_blocks(_rows(element)))
            else:
                found = self._paragraph(element)
                yield from page.turned(found.breaks_before)
                found.breaks -= found.breaks_before
                self._read(element, found, page)
            yield from page.turned(found.breaks)
        page.end_list()
        yield Page(page.number, tuple(page.blocks))

    def _read(self, element: etree._Element, found: _Paragraph, page: _Page) -> None:
        """Add a paragraph, then the notes and text boxes that hang on it."""
        style = self._style(element)
        if not found.text:
            pass
        elif style.level:
            page.titled = page.titled or style.title
            level = style.level if style.title else style.level + page.titled
            page.add(Block(BlockKind.heading, one_line(found.text), level))
        elif style.listed:
            page.items.append(f"{'  ' * style.depth}- {found.text}")
        else:
            page.add(Block(BlockKind.text, found.text))
        for note in found.notes:
            page.add(Block(BlockKind.text, note))
        for box in found.boxes:
            for part in box:
                if local(part) == "tbl":
                    page.add(*table_blocks(_rows(part)))
                elif text := one_line(" ".join(_texts(part))):
                    page.add(Block(BlockKind.text, text))

    def _style(self, element: etree._Element) -> ParagraphStyle:
        named = child(element, "pPr", "pStyle")
        style = self._styles.get(attribute(named, "val") if named is not None else "", ParagraphStyle())
        return style_of(child(element, "pPr"), style)

    def _paragraph(self, element: etree._Element) -> _Paragraph:
        found = _Paragraph()
        if not self._rendered and child(element, "pPr", "pageBreakBefore") is not None:
            found.end_page()
        self._walk(element, found)
        return found

    def _walk(self, element: etree._Element, found: _Paragraph) -> None:
        """Take what is seen of an element."""
        for part in element:
            name = local(part)
            if name == "t":
                found.words.append(part.text or "")
            elif name in _SIGNS:
                found.words.append(_SIGNS[name])
            elif name in _BREAKS:
                self._break(part, found)
            elif name in _NOTES:
                if note := self._notes.get((_NOTES[name], attribute(part, "id"))):
                    found.notes.append(note)
            elif name == "txbxContent":
                found.boxes.append(part)
            elif name not in _UNSEEN and not _is_hidden(part):
                self._walk(part, found)

    def _break(self, part: etree._Element, found: _Paragraph) -> None:
        """A line or a page ends; where the rendered pages are known, the others do not count."""
        if local(part) == "lastRenderedPageBreak":
            found.end_page()
        elif attribute(part, "type") != "page":
            found.words.append("\n")
        elif not self._rendered:
            found.end_page()


def _is_hidden(run: etree._Element) -> bool:
    vanish = child(run, "rPr", "vanish")
    return vanish is not None and attribute(vanish, "val") not in {"0", "false", "off"}


def _texts(element: etree._Element) -> Iterator[str]:
    """The text of each paragraph inside."""
    for paragraph in element.iter("{*}p"):
        words = [part.text or "" for part in paragraph.iter("{*}t")]
        yield "".join(words)


def _rows(table: etree._Element) -> Iterator[list[str]]:
    """The table's rows; a cell that goes over several rows is repeated in each."""
    above: list[str] = []
    for row in table.iter("{*}tr"):
        if _table_of(row) is not table:
            continue
        cells: list[str] = []
        for cell in row.iter("{*}tc"):
            if _row_of(cell) is not row:
                continue
            span = child(cell, "tcPr", "gridSpan")
            merged = child(cell, "tcPr", "vMerge")
            goes_on = merged is not None and attribute(merged, "val") != "restart"
            text = above[len(cells)] if goes_on and len(cells) < len(above) else " ".join(_texts(cell))
            width = attribute(span, "val") if span is not None else "1"
            cells += [text, *[""] * (min(int(width), 100) - 1 if width.isdecimal() else 0)]
        above = cells
        yield cells


def _table_of(row: etree._Element) -> etree._Element | None:
    return next(row.iterancestors("{*}tbl"), None)


def _row_of(cell: etree._Element) -> etree._Element | None:
    return next(cell.iterancestors("{*}tr"), None)

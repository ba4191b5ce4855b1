"""Reads PPTX: each slide is a page with its title as heading, its text, tables, charts, notes and comments."""

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from modulo.adapters.parsing.office.drawing_text import line_of
from modulo.adapters.parsing.office.elements import attribute, child, link, local
from modulo.adapters.parsing.office.grid import Cell, grid
from modulo.adapters.parsing.office.ooxml import Package
from modulo.adapters.parsing.office.pptx_text import text_of
from modulo.adapters.parsing.office.related_parts import RelatedParts
from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.table_blocks import table_blocks
from modulo.adapters.parsing.text_decoding import one_line
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, OversizedFile

MAX_SLIDES = 20_000
_SKIPPED_PLACEHOLDERS = frozenset({"dt", "sldNum", "sldImg"})
_HEADS = frozenset({"ftr", "hdr"})
_TITLE_PLACEHOLDERS = frozenset({"title", "ctrTitle"})


class PptxParser:
    """A parser of PPTX."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a presentation, whose file must stay open until the last slide has been read.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        package = Package(content)
        main = package.main()
        relations = package.relations(main)
        listed = child(package.tree(main), "sldIdLst")
        slides = [relations.get(link(slide)) for slide in (listed if listed is not None else ())]
        if len(slides) > MAX_SLIDES:
            raise OversizedFile(f"The presentation has {len(slides)} slides; at most {MAX_SLIDES} are read.")
        names = [slide.target for slide in slides if slide is not None]
        if len(names) < len(slides):
            raise CorruptFile
        return OpenedDocument(package.info(len(names)), lambda: _pages(package, names))


def _pages(package: Package, names: list[str]) -> Iterator[Page]:
    heads: set[str] = set()
    for number, name in enumerate(names, 1):
        root = package.tree(name)
        if attribute(root, "show") in {"0", "false"}:
            yield Page(number, ())
            continue
        parts = RelatedParts(package, name)
        slide = _Slide(parts)
        tree = child(root, "cSld", "spTree")
        blocks = list(slide.shapes(tree)) if tree is not None else []
        blocks.sort(key=lambda block: block.kind is not BlockKind.heading)
        for notes in parts.trees("notesSlide"):
            blocks += _notes(notes, parts)
        blocks += parts.comments()
        blocks += [Block(BlockKind.text, head) for head in slide.heads if head not in heads]
        heads.update(slide.heads)
        yield Page(number, tuple(blocks))


def _notes(root: etree._Element, parts: RelatedParts) -> list[Block]:
    """The speaker notes as one block, if there are any."""
    tree = child(root, "cSld", "spTree")
    notes = [block.text for block in _Slide(parts).shapes(tree)] if tree is not None else []
    return [Block(BlockKind.text, "Notes: " + "\n".join(notes))] if notes else []


class _Slide:
    """Reads the shapes of one slide; `heads` are its headers and footers."""

    def __init__(self, parts: RelatedParts) -> None:
        self._parts = parts
        self.heads: dict[str, None] = {}

    def shapes(self, tree: etree._Element) -> Iterator[Block]:
        """The blocks of shapes and groups of shapes, in drawing order."""
        for shape in tree:
            name = local(shape)
            if name in {"grpSp", "AlternateContent", "Choice"}:
                yield from self.shapes(shape)
            elif name == "sp":
                yield from self._shape(shape)
            elif name == "graphicFrame":
                for table in shape.iter("{*}tbl"):
                    rows = grid(_row(row) for row in table if local(row) == "tr")
                    yield from table_blocks(rows)
                yield from self._parts.graphics(shape)

    def _shape(self, shape: etree._Element) -> Iterator[Block]:
        placeholder = child(shape, "nvSpPr", "nvPr", "ph")
        kind = attribute(placeholder, "type") if placeholder is not None else None
        body = child(shape, "txBody")
        if body is None or kind in _SKIPPED_PLACEHOLDERS:
            return
        if kind in _TITLE_PLACEHOLDERS or kind in _HEADS:
            line = one_line(" ".join(map(line_of, body.iter("{*}p"))))
            if line and kind in _HEADS:
                self.heads[line] = None
            elif line:
                yield Block(BlockKind.heading, line, 1)
        elif text := text_of(body, bullets=kind in {"", "body", "obj"}):
            yield Block(BlockKind.text, text)


def _row(row: etree._Element) -> list[Cell]:
    cells = []
    for cell in row:
        if local(cell) == "tc":
            text = " ".join(map(line_of, cell.iter("{*}p")))
            below, beside = (attribute(cell, name) in {"1", "true"} for name in ("vMerge", "hMerge"))
            cells.append(Cell(text.strip(), 1, below, beside))
    return cells

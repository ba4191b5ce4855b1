"""Reads PPTX: a page a slide, its title as heading, its tables and the speaker's notes."""

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from modulo.adapters.decoding import clean, one_line
from modulo.adapters.ooxml import Package, attribute, child, local
from modulo.adapters.opened import OpenedDocument
from modulo.adapters.tabulating import table_blocks
from modulo.domain.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, OversizedFile

MAX_SLIDES = 20_000
_FURNITURE = frozenset({"dt", "ftr", "hdr", "sldNum", "sldImg"})
_TITLES = frozenset({"title", "ctrTitle"})


class PptxParser:
    """A reader of PPTX."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a presentation; its content must stay open until the last slide has been read.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        package = Package(content)
        main = package.main()
        relations = package.relations(main)
        listed = child(package.tree(main), "sldIdLst")
        slides = [relations.get(_link(slide)) for slide in (listed if listed is not None else ())]
        if len(slides) > MAX_SLIDES:
            raise OversizedFile(f"The presentation has {len(slides)} slides; at most {MAX_SLIDES} are read.")
        names = [slide.target for slide in slides if slide is not None]
        if len(names) < len(slides):
            raise CorruptFile
        return OpenedDocument(package.info(len(names)), lambda: _pages(package, names))


def _link(slide: etree._Element) -> str:
    """The id of a slide's relation; `id` without a namespace is another number."""
    return next((str(value) for key, value in slide.attrib.items() if str(key).endswith("}id")), "")


def _pages(package: Package, names: list[str]) -> Iterator[Page]:
    for number, name in enumerate(names, 1):
        root = package.tree(name)
        if attribute(root, "show") in {"0", "false"}:
            yield Page(number, ())
            continue
        shapes = child(root, "cSld", "spTree")
        blocks = list(_shapes(shapes)) if shapes is not None else []
        blocks.sort(key=lambda block: block.kind is not BlockKind.heading)
        for relation in package.relations(name).values():
            if relation.kind == "diagramData" and relation.target in package:
                blocks += _text(package.tree(relation.target).iter("{*}p"), bullets=True)
            elif relation.kind == "notesSlide" and relation.target in package:
                blocks += _notes(package.tree(relation.target))
        yield Page(number, tuple(blocks))


def _notes(root: etree._Element) -> list[Block]:
    """What the speaker noted, if anything."""
    shapes = child(root, "cSld", "spTree")
    notes = [block.text for block in _shapes(shapes)] if shapes is not None else []
    return [Block(BlockKind.text, "Notes: " + "\n".join(notes))] if notes else []


def _shapes(tree: etree._Element) -> Iterator[Block]:
    """The blocks of shapes and of groups of them, in the order in which they were drawn."""
    for shape in tree:
        name = local(shape)
        if name in {"grpSp", "AlternateContent", "Choice"}:
            yield from _shapes(shape)
        elif name == "sp":
            yield from _shape(shape)
        elif name == "graphicFrame":
            for table in shape.iter("{*}tbl"):
                yield from table_blocks(_rows(table))


def _shape(shape: etree._Element) -> Iterator[Block]:
    place = child(shape, "nvSpPr", "nvPr", "ph")
    kind = attribute(place, "type") if place is not None else None
    body = child(shape, "txBody")
    if body is None or kind in _FURNITURE:
        return
    if kind in _TITLES:
        title = one_line(" ".join(map(_line, body.iter("{*}p"))))
        if title:
            yield Block(BlockKind.heading, title, 1)
    else:
        yield from _text(body.iter("{*}p"), bullets=kind in {"", "body", "obj"})


def _text(paragraphs: Iterator[etree._Element], *, bullets: bool) -> list[Block]:
    """Paragraphs as one block, those of a bulleted place as items."""
    lines = []
    for paragraph in paragraphs:
        if line := _line(paragraph):
            properties = child(paragraph, "pPr")
            level = attribute(properties, "lvl") if properties is not None else ""
            lines.append(("  " * min(int(level), 8) if level.isdecimal() else "", line))
    if len(lines) < 2 or not bullets:
        return [Block(BlockKind.text, "\n".join(line for _, line in lines))] if lines else []
    return [Block(BlockKind.text, "\n".join(f"{indent}- {line}" for indent, line in lines))]


def _line(paragraph: etree._Element) -> str:
    parts = paragraph.iter("{*}t", "{*}br", "{*}tab")
    words = ((part.text or "") if local(part) == "t" else " " for part in parts)
    return clean("".join(words)).strip()


def _rows(table: etree._Element) -> Iterator[list[str]]:
    """The table's rows; a cell that goes over several rows is repeated in each."""
    above: list[str] = []
    for row in table.iter("{*}tr"):
        cells: list[str] = []
        for cell in row.iter("{*}tc"):
            goes_on = attribute(cell, "vMerge") in {"1", "true"} and len(cells) < len(above)
            cells.append(above[len(cells)] if goes_on else " ".join(map(_line, cell.iter("{*}p"))))
        above = cells
        yield cells

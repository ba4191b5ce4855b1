"""Reads XLSX: each sheet is a page with its name as heading, its cells as a table, text boxes, charts and comments."""

import html
import re
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from modulo.adapters.parsing.office.elements import attribute, child, link, local
from modulo.adapters.parsing.office.ooxml import Package, Relation
from modulo.adapters.parsing.office.related_parts import RelatedParts
from modulo.adapters.parsing.office.sheet_cells import SheetReader, Workbook, workbook_of
from modulo.adapters.parsing.office.sheet_layout import sheet_blocks
from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.text_decoding import one_line
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, OversizedFile

MAX_SHEETS = 5_000
_HEAD_OR_FOOT = re.compile(rb"<(?:\w{1,20}:)?(?:odd|even|first)(?:Header|Footer)>([^<]{1,300})<")
_CODES = re.compile(r'&(?:"[^"]*"|K[0-9A-F]{6}|\d{1,3}|[LCRPNDTFAZGBIUESXYOH]|(&))', re.IGNORECASE)
_PAGE_ONLY = re.compile(r"(?:page|seite|of|von|\W|\d)+", re.IGNORECASE)


class XlsxParser:
    """A parser of XLSX."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a workbook, whose file must stay open until the last sheet has been read.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        package = Package(content)
        main = package.main()
        root = package.tree(main)
        listed = child(root, "sheets")
        sheets = [sheet for sheet in (listed if listed is not None else ()) if local(sheet) == "sheet"]
        if len(sheets) > MAX_SHEETS:
            raise OversizedFile(f"The workbook has {len(sheets)} sheets; at most {MAX_SHEETS} are read.")
        if not sheets:
            raise CorruptFile("The workbook has no sheets.")
        relations = package.relations(main)
        workbook = workbook_of(package, main, root)
        return OpenedDocument(package.info(len(sheets)), lambda: _pages(package, sheets, relations, workbook))


def _pages(
    package: Package, sheets: list[etree._Element], relations: dict[str, Relation], workbook: Workbook
) -> Iterator[Page]:
    """A page for each sheet; hidden and empty ones are empty pages."""
    for number, sheet in enumerate(sheets, 1):
        relation = relations.get(link(sheet))
        if attribute(sheet, "state") in {"hidden", "veryHidden"} or not link(sheet):  # modules of macros have no part
            yield Page(number, ())
            continue
        if relation is None or relation.target not in package:
            raise CorruptFile(f"Sheet {number} is missing: save the file again in its own program.")
        try:
            blocks = list(_blocks(package, relation.target, workbook))
        except CorruptFile as error:
            raise CorruptFile(f"Sheet {number} is damaged: save the file again in its own program.") from error
        name = one_line(attribute(sheet, "name"))
        yield Page(number, (Block(BlockKind.heading, name, 1), *blocks) if blocks else ())


def _blocks(package: Package, name: str, workbook: Workbook) -> Iterator[Block]:
    yield from sheet_blocks(package, name, SheetReader(package, name, workbook).rows())
    parts = RelatedParts(package, name)
    yield from parts.drawings()
    yield from parts.comments()
    yield from _heads_and_feet(package, name)


def _heads_and_feet(package: Package, name: str) -> Iterator[Block]:
    """The texts above and below the printed pages, each once."""
    texts = []
    for found in package.found(name, _HEAD_OR_FOOT):
        text = html.unescape(found[1].decode("utf-8", "replace"))
        shown = one_line(_CODES.sub(lambda code: code[1] or " ", text))
        if any(map(str.isalpha, shown)) and not _PAGE_ONLY.fullmatch(shown):
            texts.append(shown)
    yield from (Block(BlockKind.text, text) for text in dict.fromkeys(texts))

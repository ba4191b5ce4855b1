"""Reads DOCX: headings with their numbers, lists, tables, notes, comments, charts, headers and footers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from modulo.adapters.parsing.office.docx_story import Item, Story
from modulo.adapters.parsing.office.ooxml import Package
from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.domain.documents.document import Block, BlockKind, Page

_BREAK = re.compile(b"lastRenderedPageBreak")


class DocxParser:
    """A parser of DOCX."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a document, whose file must stay open until the last page has been read.

        Pages end where Word last rendered a page break, if it noted any, else at explicit page breaks.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        package = Package(content)
        main = package.main()
        breaks = sum(1 for _ in package.found(main, _BREAK))
        return OpenedDocument(
            package.info(breaks + 1 if breaks else None), lambda: _pages(package, main, rendered=breaks > 0)
        )


@dataclass(slots=True)
class _Page:
    """The page being read; items of a list are kept to become one block."""

    number: int = 1
    blocks: list[Block] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    feet: list[Block] = field(default_factory=list)  # the footers, which end the first page

    def add(self, item: Item) -> None:
        """Append what a paragraph or table adds."""
        if item.listed:
            self.items.append(item.listed)
        elif item.blocks:
            self.end_list()
            self.blocks += item.blocks
        if item.after:
            self.end_list()
            self.blocks += item.after

    def end_list(self) -> None:
        """Append the items kept so far as one block."""
        if self.items:
            self.blocks.append(Block(BlockKind.text, "\n".join(self.items)))
            self.items = []

    def finish(self, breaks: int) -> Iterator[Page]:
        """The finished page, if there are page breaks; empty pages between several breaks are skipped."""
        if breaks:
            yield self.whole()
            self.number += breaks

    def whole(self) -> Page:
        """The page as read so far, after which the next one begins."""
        self.end_list()
        page = Page(self.number, (*self.blocks, *self.feet))
        self.blocks, self.feet = [], []
        return page


def _pages(package: Package, main: str, *, rendered: bool) -> Iterator[Page]:
    """The pages in order; the headers begin the first one, and the footers end it."""
    story = Story(package, main, rendered=rendered)
    page = _Page(blocks=story.heads("header"), feet=story.heads("footer"))
    for element in package.elements(main, "p", "tbl", "altChunk"):
        item = story.item(element)
        yield from page.finish(item.breaks_before)
        page.add(item)
        yield from page.finish(item.breaks - item.breaks_before)
    yield page.whole()

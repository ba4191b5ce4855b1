"""Reads PDF page by page."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from threading import RLock
from typing import BinaryIO

import pypdfium2 as pdfium
from pypdfium2 import raw

from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.pdf.annotations import has_fields
from modulo.adapters.parsing.pdf.geometry import DrawnPage
from modulo.adapters.parsing.pdf.layout import blocks_of
from modulo.adapters.parsing.pdf.opening import check_ends, check_protection, open_document
from modulo.adapters.parsing.pdf.page import read_drawn_page
from modulo.adapters.parsing.pdf.plausibility import is_language
from modulo.adapters.parsing.pdf.raster import render_page
from modulo.adapters.parsing.pdf.style import Style, letters_only, style_of
from modulo.adapters.parsing.pdf.xfa import xfa_lines
from modulo.adapters.parsing.text_decoding import one_line
from modulo.domain.documents.document import Block, BlockKind, Extent, Page, Part
from modulo.domain.errors import OversizedFile, ScannedFile, UnsupportedFile
from modulo.domain.files.file import DocumentInfo

MAX_PAGES = 20_000
_SAMPLE_PAGES = 12
_UNMAPPED = 0.5  # the share of characters of unknown meaning at which a page counts as a picture
_MAX_TOC_ENTRIES = 5_000
_MAX_TABLE_PAGES = 12  # that are looked back for the header of a table
_PLACEHOLDER_VALUES = frozenset({"", "untitled", "anonymous", "unspecified"})

_PLACEHOLDER_LENGTH = 1_000
_PLACEHOLDER_PAGE = re.compile(
    r"not eventually replaced|later version of (?:the )?(?:PDF|Adobe)|Please wait|Bitte warten|Veuillez patienter"
    r"|Espere por favor|Attendere",
    re.IGNORECASE,
)

# PDFium is not thread-safe. Reentrant, because the garbage collector may close a document at any point.
_lock = RLock()


@dataclass(frozen=True, slots=True)
class PdfParser:
    """A parser of PDF; if `pictures`, pages without text come with a picture of the page."""

    pictures: bool = False

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a document; its content must stay open until the last page has been read.

        Raises:
            EmptyFile, EncryptedFile, CorruptFile: the file cannot be read.
            OversizedFile: the document has more than `MAX_PAGES`.
        """
        check_ends(content)
        with _lock:
            document = open_document(content)
            try:
                check_protection(document)
                count = len(document)
                info = _info(document.get_metadata_dict(skip_empty=True), count)
            finally:
                document.close()
        if count > MAX_PAGES:
            raise OversizedFile(f"The document has {count} pages; at most {MAX_PAGES} are read.")
        return OpenedDocument(
            info,
            lambda: _pages(content, pictures=self.pictures),
            extent=Extent("pages", count),
            read_part=lambda part: _pages(content, part, pictures=self.pictures),
            no_text_error=ScannedFile.unrecognised if self.pictures else ScannedFile,
        )


def pdf_parser_with_pictures() -> PdfParser:
    """A parser of PDF that adds pictures of pages without text."""
    return PdfParser(pictures=True)


def _pages(content: BinaryIO, part: Part | None = None, *, pictures: bool) -> Iterator[Page]:
    """The pages; the lock is held only while PDFium works on one."""
    with _lock:
        document = open_document(content)
    try:
        with _lock:
            if form := _drawn_by_adobe(document):
                if part is None or part.first == 0:
                    yield Page(1, form)
                return
            count = len(document)
            sampled = {index: read_drawn_page(document, index) for index in _sample(count)}
            toc_levels = _toc_levels(document)
        style = style_of(list(sampled.values()), toc_levels)
        if part:
            _read_up_to(part.first, document, style)
        for index in range(part.first, part.end) if part else range(count):
            with _lock:
                drawn = sampled.pop(index, None) or read_drawn_page(document, index)
            blocks = tuple(blocks_of(drawn, style))
            unmapped = 1.0 if drawn.lost else drawn.unmapped / drawn.asked if drawn.asked else 0.0
            if unmapped > _UNMAPPED:
                if not is_language(" ".join(block.text for block in blocks), if_short=not drawn.lost):
                    blocks = ()  # its picture may be legible
                else:
                    unmapped = 0.0
            scanned = not blocks and (drawn.pictures > 0 or unmapped > _UNMAPPED)
            with _lock:
                picture = render_page(document, index) if scanned and pictures else None
            yield Page(index + 1, blocks, scanned, picture=picture, unmapped=round(unmapped, 3))
    finally:
        with _lock:
            document.close()


def _read_up_to(end: int, document: pdfium.PdfDocument, style: Style) -> None:
    """Bring the style to where a page begins: a table may go on there that started some pages before."""
    pages = deque[DrawnPage]()
    for index in range(end - 1, max(0, end - _MAX_TABLE_PAGES) - 1, -1):
        with _lock:
            pages.appendleft(read_drawn_page(document, index))
        if [block.kind for block in blocks_of(pages[0], style)] != [BlockKind.table]:
            break
    style.open_table, style.toc_level = None, 0  # what was left there comes from the pages behind
    for drawn in pages:
        deque(blocks_of(drawn, style), maxlen=0)


def _drawn_by_adobe(document: pdfium.PdfDocument) -> tuple[Block, ...]:
    """The text of a form whose pages are made from XML; nothing for other documents.

    Raises:
        UnsupportedFile: the XML cannot be read, and the pages only say that the form could not be shown.
    """
    if document.get_formtype() not in (raw.FORMTYPE_XFA_FULL, raw.FORMTYPE_XFA_FOREGROUND):
        return ()
    page = document[0]
    try:
        text = page.get_textpage()
        says = text.get_text_range(0, min(text.count_chars(), _PLACEHOLDER_LENGTH))
        text.close()
        if has_fields(page) and not _PLACEHOLDER_PAGE.search(says):
            return ()
    finally:
        page.close()
    if lines := xfa_lines(document):
        return tuple(Block(BlockKind.text, line) for line in lines)
    raise UnsupportedFile("The file is an XFA form: open it in Adobe Acrobat, print it to a PDF and upload that.")


def _sample(count: int) -> list[int]:
    """Indexes of pages from all over the document, in pairs, as left and right pages may differ."""
    starts = range(0, count, max(2, -(-count // (_SAMPLE_PAGES // 2))))
    return [index for start in starts for index in (start, start + 1) if index < count][:_SAMPLE_PAGES]


def _toc_levels(document: pdfium.PdfDocument) -> dict[int, dict[str, int]]:
    """The table of contents: levels from 1, by page index and then by the letters of the title."""
    levels: dict[int, dict[str, int]] = {}
    with suppress(pdfium.PdfiumError):
        for entry in islice(document.get_toc(), _MAX_TOC_ENTRIES):
            destination = entry.get_dest()
            index = destination.get_index() if destination else None
            if index is not None and (key := letters_only(entry.get_title())):
                levels.setdefault(index, {})[key] = entry.level + 1
    return levels


def _info(metadata: Mapping[str, str], pages: int) -> DocumentInfo:
    properties = {
        key: text for key, value in metadata.items() if (text := one_line(value)).strip("()") not in _PLACEHOLDER_VALUES
    }
    return DocumentInfo(
        title=properties.get("Title"),
        author=properties.get("Author"),
        subject=properties.get("Subject"),
        keywords=properties.get("Keywords"),
        creator=properties.get("Creator"),
        producer=properties.get("Producer"),
        creation_date=properties.get("CreationDate"),
        mod_date=properties.get("ModDate"),
        total_pages=pages,
    )

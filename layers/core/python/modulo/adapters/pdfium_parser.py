"""Reads PDF page by page through PDFium."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from threading import RLock
from typing import BinaryIO

import pypdfium2 as pdfium

from modulo.adapters.decoding import one_line
from modulo.adapters.opened import OpenedDocument
from modulo.adapters.pdf_layout import blocks_of
from modulo.adapters.pdf_style import letters_of, style_of
from modulo.adapters.pdfium_page import read_sheet
from modulo.adapters.pdfium_picture import picture_of
from modulo.domain.document import Extent, Page, Part
from modulo.domain.errors import CorruptFile, EmptyFile, EncryptedFile, OversizedFile, ScannedFile
from modulo.domain.file import DocumentInfo

MAX_PAGES = 20_000
_SAMPLED = 12
_CONTENTS = 5_000  # entries of a table of contents that are looked at
_TAIL = 4096
_PASSWORD, _SECURITY = 4, 5  # PDFium's reasons
_PLACEHOLDERS = frozenset({"", "untitled", "anonymous", "unspecified"})

# PDFium is not thread-safe. Reentrant, as closing a document may be the garbage collector's doing.
_lock = RLock()


@dataclass(frozen=True, slots=True)
class PdfiumParser:
    """A reader of PDF, which adds `pictures` of scanned pages where asked to."""

    pictures: bool = False

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a document; its content must stay open until the last page has been read.

        Raises:
            EmptyFile, EncryptedFile, CorruptFile: it cannot be read.
            OversizedFile: it has more pages than any document does.
        """
        _check_ends(content)
        with _lock:
            document = _open(content)
            try:
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
            unread=ScannedFile.unrecognised if self.pictures else ScannedFile,
        )


def picturing_parser() -> PdfiumParser:
    """A reader of PDF that adds pictures of scanned pages."""
    return PdfiumParser(pictures=True)


def _check_ends(content: BinaryIO) -> None:
    """PDFium mends files that were cut short and keeps quiet about the pages that are lost."""
    content.seek(0)
    head = content.read(1024)
    if not head:
        raise EmptyFile
    if b"%PDF-" not in head:
        raise CorruptFile("The file does not begin like a PDF: it is damaged or of another type.")
    size = content.seek(0, 2)
    content.seek(max(0, size - _TAIL))
    if b"startxref" not in content.read():
        raise CorruptFile("The end of the file is missing: upload it again.")


def _open(content: BinaryIO) -> pdfium.PdfDocument:
    content.seek(0)
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if error.err_code == _PASSWORD:
            raise EncryptedFile from error
        if error.err_code == _SECURITY:
            raise EncryptedFile("The file is protected in an unknown way: save it without protection.") from error
        raise CorruptFile from error


def _pages(content: BinaryIO, part: Part | None = None, *, pictures: bool) -> Iterator[Page]:
    """The pages; the lock is held only while one is read."""
    with _lock:
        document = _open(content)
    try:
        with _lock:
            count = len(document)
            sampled = {index: read_sheet(document, index) for index in _sample(count)}
            titles = _titles(document)
        style = style_of(list(sampled.values()), titles)
        for index in range(part.first, part.end) if part else range(count):
            with _lock:
                sheet = sampled.pop(index, None) or read_sheet(document, index)
            blocks = tuple(blocks_of(sheet, index, style))
            scanned = not blocks and sheet.pictures > 0
            with _lock:
                picture = picture_of(document, index) if scanned and pictures else None
            yield Page(index + 1, blocks, scanned, picture=picture)
    finally:
        with _lock:
            document.close()


def _sample(count: int) -> list[int]:
    """Pages from all over the document, in pairs, as left and right ones may differ."""
    starts = range(0, count, max(2, -(-count // (_SAMPLED // 2))))
    return [index for start in starts for index in (start, start + 1) if index < count][:_SAMPLED]


def _titles(document: pdfium.PdfDocument) -> dict[int, dict[str, int]]:
    """The table of contents: levels from 1 by page and title."""
    titles: dict[int, dict[str, int]] = {}
    with suppress(pdfium.PdfiumError):
        for entry in islice(document.get_toc(), _CONTENTS):
            destination = entry.get_dest()
            index = destination.get_index() if destination else None
            if index is not None and (key := letters_of(entry.get_title())):
                titles.setdefault(index, {})[key] = entry.level + 1
    return titles


def _info(metadata: Mapping[str, str], pages: int) -> DocumentInfo:
    said = {key: text for key, value in metadata.items() if (text := one_line(value)).strip("()") not in _PLACEHOLDERS}
    return DocumentInfo(
        title=said.get("Title"),
        author=said.get("Author"),
        subject=said.get("Subject"),
        keywords=said.get("Keywords"),
        creator=said.get("Creator"),
        producer=said.get("Producer"),
        creation_date=said.get("CreationDate"),
        mod_date=said.get("ModDate"),
        total_pages=pages,
    )

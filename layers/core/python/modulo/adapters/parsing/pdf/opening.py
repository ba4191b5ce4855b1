"""Opens PDF files, and says what is wrong with those that cannot be read; callers hold PDFium's lock."""

import logging
import re
from typing import BinaryIO

import pypdfium2 as pdfium
from pypdfium2 import raw

from modulo.domain.errors import CorruptFile, EmptyFile, EncryptedFile

_HEAD_BYTES = 1024
_TAIL_BYTES = 4096
_LONG_TAIL_BYTES = 64 * 1024
_SMALL_BYTES = 1024**2
_PASSWORD, _SECURITY = 4, 5  # error codes of PDFium
_PADDING = b"\0\xff\x1a \t\r\n"
_TRAILER = re.compile(rb"trailer\s{0,8}<<[^>]{0,2000}/Root")
_NO_PAGES = re.compile(rb"/Kids\s{0,8}\[\s{0,8}\]|/Count\s{1,8}0\b")
logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # it warns of each XFA form, which we read ourselves
_MAX_ATTACHMENTS = 100
_RIGHTS_MANAGED = "MicrosoftIRMServices"


def check_ends(content: BinaryIO) -> None:
    """Refuse truncated files: PDFium repairs them and says nothing of the pages that are lost.

    Raises:
        EmptyFile, CorruptFile: the file is empty, of another type or cut short.
    """
    content.seek(0)
    head = content.read(1024)
    if not head:
        raise EmptyFile
    if b"%PDF-" not in head:
        raise CorruptFile("The file does not begin like a PDF: it is damaged or of another type.")
    if not _has_end(_tail(content, _TAIL_BYTES)) and not _has_end(_tail(content, _LONG_TAIL_BYTES)):
        raise CorruptFile("The end of the file is missing: upload it again.")


def _has_end(tail: bytes) -> bool:
    # The trailer says what PDFium needs to find the objects by itself.
    return b"startxref" in tail or _TRAILER.search(tail) is not None


def _tail(content: BinaryIO, length: int) -> bytes:
    """The last bytes before the padding that some programs add."""
    end = content.seek(0, 2)
    while end > 0:
        start = max(0, end - _LONG_TAIL_BYTES)
        content.seek(start)
        block = content.read(end - start).rstrip(_PADDING)
        if block:
            end = start + len(block)
            break
        end = start
    content.seek(max(0, end - length))
    return content.read(min(end, length))


def open_document(content: BinaryIO) -> pdfium.PdfDocument:
    """The document, with its form fields where it has some.

    Raises:
        EmptyFile, EncryptedFile, CorruptFile: it cannot be opened.
    """
    content.seek(0)
    try:
        document = pdfium.PdfDocument(content)
        if document.get_formtype() != raw.FORMTYPE_NONE:
            document.init_forms()
        return document
    except pdfium.PdfiumError as error:
        if error.err_code == _PASSWORD:
            raise EncryptedFile from error
        if error.err_code == _SECURITY:
            raise EncryptedFile("The file is protected in an unknown way: save it without protection.") from error
        if error.err_code == 0 and _has_no_pages(content):
            raise EmptyFile("The file has no pages.") from error
        raise CorruptFile from error


def _has_no_pages(content: BinaryIO) -> bool:
    content.seek(0)
    return _NO_PAGES.search(content.read(_SMALL_BYTES)) is not None


def check_protection(document: pdfium.PdfDocument) -> None:
    """Refuse a cover page whose document is an attachment that only its owner's programs open.

    Raises:
        EncryptedFile: it is one.
    """
    for number in range(min(document.count_attachments(), _MAX_ATTACHMENTS)):
        if document.get_attachment(number).get_name().startswith(_RIGHTS_MANAGED):
            raise EncryptedFile("The file is protected by rights management: save it without and upload that.")

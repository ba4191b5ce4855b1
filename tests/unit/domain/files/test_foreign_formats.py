"""What cannot be read is called what it is, with what to do about it."""

import zipfile
from io import BytesIO

import pytest

from modulo.domain.errors import UnsupportedFile
from modulo.domain.files import media
from modulo.domain.files.foreign_formats import OLE, format_of
from modulo.domain.files.media import media_type_of
from tests import documents


def zipped(mimetype: str, *, compressed: bool = False) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", mimetype)
        archive.writestr("content.xml", "<a/>")
    return content.getvalue()


def refusal(name: str, head: bytes | None) -> str:
    with pytest.raises(UnsupportedFile) as refused:
        media_type_of(name, head)
    return refused.value.detail


OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
KNOWN = [
    ("epub", zipped("application/epub+zip"), "an EPUB book", "PDF"),
    ("odt", zipped(OPEN_DOCUMENT + "text"), "an OpenDocument text", "DOCX"),
    ("ods", zipped(OPEN_DOCUMENT + "spreadsheet"), "an OpenDocument spreadsheet", "XLSX"),
    ("odp", zipped(OPEN_DOCUMENT + "presentation"), "an OpenDocument presentation", "PPTX"),
    ("ott", zipped(OPEN_DOCUMENT + "text-template"), "an OpenDocument text", "DOCX"),
    ("msg", OLE + bytes(500) + "__substg1.0_0037001F".encode("utf-16-le"), "an Outlook message", "EML"),
    ("doc", OLE + bytes(500) + "WordDocument".encode("utf-16-le"), "an old Word document", "DOCX"),
    ("xls", OLE + bytes(500) + "Workbook".encode("utf-16-le"), "an old Excel workbook", "XLSX"),
    ("ppt", OLE + bytes(500) + "PowerPoint Document".encode("utf-16-le"), "an old PowerPoint presentation", "PPTX"),
    ("rtf", b"{\\rtf1 Hello}", "an RTF document", "DOCX"),
    ("ps", b"%!PS-Adobe-3.0", "a PostScript document", "PDF"),
]


@pytest.mark.parametrize(("extension", "head", "what", "better"), KNOWN)
def test_known_by_name_and_content(extension: str, head: bytes, what: str, better: str) -> None:
    expected = f"The file is {what}, which cannot be read: save it as {better} and upload that."
    assert refusal(f"a.{extension}", head) == expected
    assert refusal(f"a.{extension}", None).endswith(f"cannot be read: save it as {better} and upload that.")
    assert refusal("a", head) == expected
    assert refusal("a.txt", head) == expected


@pytest.mark.parametrize(("extension", "better"), [("msg", "EML"), ("doc", "DOCX"), ("xls", "XLSX"), ("ppt", "PPTX")])
def test_the_name_decides_where_the_content_is_any_of_several(extension: str, better: str) -> None:
    assert refusal(f"a.{extension}", OLE + bytes(500)).endswith(f": save it as {better} and upload that.")
    assert "Outlook message" in refusal("a.txt", OLE + bytes(500))


def test_the_name_decides_where_the_type_in_an_archive_is_compressed() -> None:
    assert "EPUB" in refusal("a.epub", zipped("application/epub+zip", compressed=True))
    assert "Pages" in refusal("a.pages", zipped("application/epub-not", compressed=True))
    assert "zip archive" in refusal("a.txt", zipped("application/x-other"))


@pytest.mark.parametrize(
    ("head", "what"),
    [
        *[(b"\x1f\x8b\x08", "gzip"), (b"BZh9", "bzip2"), (b"7z\xbc\xaf", "7-Zip"), (b"Rar!\x1a", "RAR")],
        *[(bytes(257) + b"ustar\0", "tar archive"), (b"\0\0\0\x18ftypmp42", "video"), (b"RIFF\0\0WAVE", "audio")],
        *[(b"SQLite format 3\0", "SQLite"), (b"PAR1\x15", "Parquet"), (b"\x7fELF", "program"), (b"GIF89a", "GIF")],
    ],
)
def test_known_by_its_first_bytes(head: bytes, what: str) -> None:
    known = format_of(head, "txt")
    assert known
    assert what in known.refusal().detail


def test_the_content_wins_over_a_name_that_says_otherwise() -> None:
    assert media_type_of("a.odt", documents.word()[: media.HEAD_BYTES]) == media.DOCX
    assert media_type_of("export.xls", b"<html><table><tr><td>1") == media.HTML
    assert media_type_of("saved.doc", b"MIME-Version: 1.0\nContent-Type: multipart/related") == media.EML
    assert "name it .txt" in refusal("a.doc", b"Plain words.")
    assert "RTF" in refusal("a.doc", b"{\\rtf1 Hello}")


@pytest.mark.parametrize("text", [b"    ftyp is a word", b"x" * 257 + b"ustar", b"plain"])
def test_words_are_no_signature(text: bytes) -> None:
    assert format_of(text, "txt") is None

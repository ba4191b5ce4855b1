"""What kind of document a file is, told by its name and its first bytes."""

import re
import unicodedata
from collections.abc import Mapping

from modulo.domain.errors import InvalidRequest, UnsupportedFile

HEAD_BYTES = 4096
MAX_NAME = 255

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HTML = "text/html"
MARKDOWN = "text/markdown"
CSV = "text/csv"
TSV = "text/tab-separated-values"
TEXT = "text/plain"
EML = "message/rfc822"
JSON = "application/json"
JSON_LINES = "application/x-ndjson"
CODE = "text/x-source"
SQL = "application/sql"
YAML = "application/yaml"
TOML = "application/toml"
ZIP = "application/zip"

_CODE_EXTENSIONS = (
    *("py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "tsx", "java", "kt", "scala", "go", "rs", "c", "h", "cc", "cpp"),
    *("hpp", "cs", "rb", "php", "swift", "sh", "bash"),
)

EXTENSIONS: Mapping[str, str] = {
    "pdf": PDF,
    "docx": DOCX,
    "docm": DOCX,
    "pptx": PPTX,
    "pptm": PPTX,
    "xlsx": XLSX,
    "xlsm": XLSX,
    "html": HTML,
    "htm": HTML,
    "xhtml": HTML,
    "md": MARKDOWN,
    "markdown": MARKDOWN,
    "csv": CSV,
    "tsv": TSV,
    "txt": TEXT,
    "text": TEXT,
    "log": TEXT,
    "rst": TEXT,
    "eml": EML,
    "json": JSON,
    "geojson": JSON,
    "jsonl": JSON_LINES,
    "ndjson": JSON_LINES,
    "sql": SQL,
    "yaml": YAML,
    "yml": YAML,
    "toml": TOML,
    "ini": TOML,
    "cfg": TOML,
    **dict.fromkeys(_CODE_EXTENSIONS, CODE),
    "zip": ZIP,
}
READABLE = tuple(dict.fromkeys(EXTENSIONS.values()))

_OFFICE = (DOCX, PPTX, XLSX)
_TEXTUAL = frozenset(READABLE) - {PDF, ZIP, *_OFFICE}
_MEMBER = re.compile(rb"PK\x03\x04.{26}(word|ppt|xl)/", re.DOTALL)
_OFFICE_FOLDERS = {b"word": DOCX, b"ppt": PPTX, b"xl": XLSX}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second begins one that holds nothing
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_BEGINNINGS = {
    HTML: re.compile(rb"<!doctype html|<html"),
    JSON: re.compile(rb'(?:\{|\[\s*\{)\s*"'),
    EML: re.compile(rb"(?:return-path|received|delivered-to|mime-version|message-id):[ \t]"),
    CODE: re.compile(rb"#!"),
}
_FOREIGN = {
    b"\x89PNG\r\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"MZ": "a Windows program",
    b"\x7fELF": "a program",
    b"{\\rtf": "an RTF document: save it as DOCX",
    b"%!PS": "a PostScript document: save it as PDF",
}
_OLD_OFFICE = {"doc": "DOCX", "xls": "XLSX", "ppt": "PPTX", "rtf": "DOCX", "odt": "DOCX", "ods": "XLSX", "odp": "PPTX"}
# Formatting characters that make a name look like another one.
_DECEPTIVE = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def media_type_of(name: str, head: bytes | None) -> str:
    """The media type of a file, by its name and, where they are known, its first `HEAD_BYTES` bytes.

    Content wins over the name for PDF and Office files, so a PDF called `report.txt` is read as a
    PDF. Among the text formats, which look alike, the name decides. A name without an extension is
    enough only together with the bytes.

    Raises:
        UnsupportedFile: the file cannot be read, or its name promises something else than it holds.
    """
    extension = _extension(name)
    named = EXTENSIONS.get(extension)
    if not head:
        if named is None:
            raise _unknown(extension)
        return named
    if head.lstrip().startswith(b"%PDF-") or (b"%PDF-" in head[:1024] and (named == PDF or not _is_text(head))):
        return PDF
    if head.startswith(_ZIP):
        return _office(head, named)
    if named in _OFFICE and head.startswith(_OLE):
        return named  # an encrypted document, or an old one: its parser tells them apart
    _refuse_foreign(head)
    if not _is_text(head):
        if named is None or named in _TEXTUAL:
            raise UnsupportedFile("The file holds binary data of an unknown kind, not text.")
        return named  # damaged: its parser says so
    return _textual(head, extension, named)


def safe_name(name: str) -> str:
    """The name of an uploaded file in Unicode's composed form, once it is known to be harmless.

    Raises:
        InvalidRequest: it has no or more than 255 characters, or any that a file's name may not have.
    """
    composed = unicodedata.normalize("NFC", name)
    if not composed.strip(". \u00a0\u3000"):
        raise InvalidRequest.field("name", "must not be empty or made of dots and spaces only")
    if len(composed) > MAX_NAME:
        raise InvalidRequest.field("name", f"must have at most {MAX_NAME} characters")
    if "/" in composed or "\\" in composed:
        raise InvalidRequest.field("name", "must be a file's name without a path")
    if any(map(shows_nothing, composed)):
        raise InvalidRequest.field("name", "must not hold control characters")
    return composed


def shows_nothing(character: str) -> bool:
    """Whether it is a control character, or one that makes a name look like another."""
    return character in _DECEPTIVE or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def _extension(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return extension.strip().lower() if dot and stem else ""


def _unknown(extension: str) -> UnsupportedFile:
    if better := _OLD_OFFICE.get(extension):
        return UnsupportedFile(f"Files of type .{extension} cannot be read: save it as {better} and upload that.")
    known = ", ".join(f".{e}" for e in EXTENSIONS)
    what = f"Files of type .{extension[:20]}" if extension else "Files without an extension"
    return UnsupportedFile(f"{what} cannot be read; readable are {known}.")


def _office(head: bytes, named: str | None) -> str:
    """A zip archive, or the document inside: its first members name it, else the file's name must."""
    if member := _MEMBER.search(head):
        return _OFFICE_FOLDERS[member[1]]
    if named in (ZIP, *_OFFICE):
        return named
    raise UnsupportedFile("The file is a zip archive, but is not called .zip.")


def _refuse_foreign(head: bytes) -> None:
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise UnsupportedFile(f"The content is {what}, which cannot be read.")
    if head.startswith(_OLE):
        raise UnsupportedFile("The content is an old Office document: save it as DOCX, XLSX or PPTX.")


def _is_text(head: bytes) -> bool:
    """Whether the bytes can be text: no zero bytes, unless UTF-16 explains them, and few control characters."""
    if head.startswith(_BYTE_ORDER_MARKS):
        return True
    if b"\0" in head:
        zeros = (head[0::2].count(0), head[1::2].count(0))
        return max(zeros) > 0.4 * (len(head) / 2) and min(zeros) == 0
    controls = sum(1 for byte in head if byte < 32 and byte not in b"\t\n\v\f\r\x1b")
    return controls <= len(head) * 0.01


def _textual(head: bytes, extension: str, named: str | None) -> str:
    if named in _TEXTUAL:
        return named
    if named is not None:
        raise UnsupportedFile(f"The file is called .{extension} but holds plain text, or is damaged.")
    if extension:
        raise _unknown(extension)
    start = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((media_type for media_type, begins in _BEGINNINGS.items() if begins.match(start)), TEXT)

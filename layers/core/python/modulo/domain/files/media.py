"""Media types of files, detected by name and first bytes."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from modulo.domain.errors import InvalidRequest, UnsupportedFile
from modulo.domain.files.foreign_formats import OLE, format_in_zip, format_named, format_of
from modulo.domain.text.unicode_text import HIDDEN, hidden_positions, is_blank
from modulo.domain.text.utf16 import unmarked_utf16

HEAD_BYTES = 4096
MAX_NAME_CHARACTERS = 255

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
CALENDAR = "text/calendar"
SUBTITLES = "text/vtt"
NOTEBOOK = "application/x-ipynb+json"
JSON = "application/json"
JSON_LINES = "application/x-ndjson"
CODE = "text/x-source"
SQL = "application/sql"
YAML = "application/yaml"
TOML = "application/toml"
ZIP = "application/zip"

_CODE_EXTENSIONS = (
    *("py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "tsx", "java", "kt", "scala", "go", "rs", "c", "h", "cc", "cpp"),
    *("hpp", "cs", "rb", "php", "swift", "sh", "bash", "zsh", "fish", "ps1", "psm1", "bat", "cmd", "vb", "fs", "vue"),
    *("svelte", "lua", "pl", "pm", "r", "jl", "dart", "ex", "exs", "erl", "hs", "clj", "groovy", "gradle", "tf", "hcl"),
    *("proto", "graphql", "gql", "css", "scss", "sass", "less", "m", "mm", "asm", "f90", "pas", "sol", "nim", "zig"),
    *("elm", "ml", "mli", "cmake", "mk", "cxx", "hxx", "kts", "mts", "cts", "astro", "json5"),
)
_TEXT_EXTENSIONS = (
    *("txt", "text", "log", "rst", "adoc", "asciidoc", "org", "tex", "bib", "diff", "patch", "nfo", "me", "1st", "po"),
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
    **dict.fromkeys(_TEXT_EXTENSIONS, TEXT),
    "srt": SUBTITLES,
    "vtt": SUBTITLES,
    "mdx": MARKDOWN,
    "eml": EML,
    "ics": CALENDAR,
    "json": JSON,
    "jsonc": JSON,
    "ipynb": NOTEBOOK,
    "geojson": JSON,
    "jsonl": JSON_LINES,
    "ndjson": JSON_LINES,
    "sql": SQL,
    "yaml": YAML,
    "yml": YAML,
    "toml": TOML,
    "ini": TOML,
    "cfg": TOML,
    "conf": TOML,
    "properties": TOML,
    "env": TOML,
    **dict.fromkeys(_CODE_EXTENSIONS, CODE),
    "zip": ZIP,
}
READABLE = tuple(dict.fromkeys(EXTENSIONS.values()))

_OFFICE = (DOCX, PPTX, XLSX)
_TEXTUAL = frozenset(READABLE) - {PDF, ZIP, *_OFFICE}
_MEMBER = re.compile(rb"PK\x03\x04.{26}(word|ppt|xl)/", re.DOTALL)
_OFFICE_FOLDERS = {b"word": DOCX, b"ppt": PPTX, b"xl": XLSX}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second begins one that holds nothing
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_BEGINNINGS = {
    HTML: re.compile(rb"<!doctype html|<html"),
    JSON: re.compile(rb'(?:\{|\[\s*\{)\s*"'),
    EML: re.compile(rb"(?:return-path|received|delivered-to|mime-version|message-id):[ \t]"),
    CODE: re.compile(rb"#!"),
}

_EXPORTED = frozenset({HTML, EML})


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
        return _office(head, extension, named)
    if named in _OFFICE and head.startswith(OLE):
        return named  # an encrypted or an old document: the parser finds out which
    if foreign := format_of(head, extension):
        raise foreign.refusal()
    if not _is_text(head):
        if named is None or named in _TEXTUAL:
            raise UnsupportedFile("The file holds binary data of an unknown kind, not text.")
        return named  # damaged: its parser says so
    return _textual(head, extension, named)


FILE_NAME: Final[Any] = {"minLength": 1, "maxLength": MAX_NAME_CHARACTERS, "pattern": r"^[^\x00-\x1f\x7f-\x9f/\\]*$"}
"""What a schema can say of names: `safe_name` also knows characters that show nothing only beside some others."""


def safe_name(name: str, *, at: str = "name") -> str:
    """The name of an uploaded file in composed Unicode (NFC), if it is safe; `at` is the field that it comes from.

    Raises:
        InvalidRequest: it has no or more than 255 characters, or any that a file's name may not have.
    """
    composed = unicodedata.normalize("NFC", name)
    if is_blank(composed.replace(".", "")):
        raise InvalidRequest.field(at, "must not be empty or made of dots and spaces only")
    if len(composed) > MAX_NAME_CHARACTERS:
        raise InvalidRequest.field(at, f"must have at most {MAX_NAME_CHARACTERS} characters")
    if "/" in composed or "\\" in composed:
        raise InvalidRequest.field(at, "must be a file's name without a path")
    if next(hidden_positions(composed), None) is not None:
        raise InvalidRequest.field(at, HIDDEN)
    return composed


def _extension(name: str) -> str:
    """What follows the last dot in lower case; nothing where that is no kind of file, as in "Dr. Hall" and "log.2"."""
    stem, dot, extension = name.rpartition(".")
    kind = extension.rstrip().lower()
    return kind if dot and stem and not (kind.isdecimal() or any(c.isspace() for c in kind)) else ""


def _unknown(extension: str) -> UnsupportedFile:
    if foreign := format_named(extension):
        return UnsupportedFile(f"Files of type .{extension} cannot be read: {foreign.advice}.")
    known = ", ".join(f".{e}" for e in EXTENSIONS)
    what = f"Files of type .{extension[:20]}" if extension else "Files without an extension"
    return UnsupportedFile(f"{what} cannot be read; readable are {known}.")


def _office(head: bytes, extension: str, named: str | None) -> str:
    """A zip archive, or the document inside: its first members name it, else the file's name must."""
    if foreign := format_in_zip(head):
        raise foreign.refusal()
    if member := _MEMBER.search(head):
        return _OFFICE_FOLDERS[member[1]]
    if named in (ZIP, *_OFFICE):
        return named
    if extension and named is None:
        foreign = format_named(extension)
        raise foreign.refusal() if foreign else _unknown(extension)
    raise UnsupportedFile("The content is a zip archive: if it is one of files to be read, name it .zip.")


def _is_text(head: bytes) -> bool:
    """Whether the bytes can be text: few control characters, unless UTF-16 explains them."""
    if head.startswith(_BYTE_ORDER_MARKS) or unmarked_utf16(head):
        return True
    head = head.rstrip(b"\0")  # what some programs fill the rest of a block with
    controls = sum(1 for byte in head if byte < 32 and byte not in b"\t\n\v\f\r\x1b")
    return bool(head) and controls <= len(head) * 0.01


def _textual(head: bytes, extension: str, named: str | None) -> str:
    if named in _TEXTUAL:
        return named
    if named is not None:
        raise UnsupportedFile(f"The file is called .{extension} but holds plain text.")
    start = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    begun = next((media_type for media_type, begins in _BEGINNINGS.items() if begins.match(start)), TEXT)
    if not extension or (begun in _EXPORTED and format_named(extension)):
        return begun  # many programs export pages under the names of Office files
    if format_named(extension):
        raise UnsupportedFile(f"The file is called .{extension} but holds plain text: name it .txt and upload that.")
    raise _unknown(extension)

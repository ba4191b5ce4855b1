"""The parser of each media type, imported when it is first needed."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from modulo.domain import media
from modulo.domain.errors import UnsupportedFile
from modulo.ports import Parser

_PARSERS: Mapping[str, tuple[str, str]] = {
    media.PDF: ("pdfium_parser", "PdfiumParser"),
    media.DOCX: ("docx_parser", "DocxParser"),
    media.PPTX: ("pptx_parser", "PptxParser"),
    media.XLSX: ("xlsx_parser", "XlsxParser"),
    media.HTML: ("html_parser", "HtmlParser"),
    media.MARKDOWN: ("markdown_parser", "MarkdownParser"),
    media.CSV: ("csv_parser", "CsvParser"),
    media.TSV: ("csv_parser", "CsvParser"),
    media.TEXT: ("text_parser", "TextParser"),
    media.EML: ("eml_parser", "EmlParser"),
    media.JSON: ("json_parser", "JsonParser"),
    media.JSON_LINES: ("json_parser", "JsonLinesParser"),
    media.CODE: ("code_parser", "CodeParser"),
    media.SQL: ("code_parser", "sql_parser"),
    media.YAML: ("code_parser", "yaml_parser"),
    media.TOML: ("code_parser", "toml_parser"),
}
_PICTURING: Mapping[str, tuple[str, str]] = {media.PDF: ("pdfium_parser", "picturing_parser")}
"""Those that add pictures of the pages without text."""


def location_of(media_type: str, *, pictures: bool = False) -> str:
    """Where the parser of a media type that `domain.media` names is found, as `module:name`.

    It adds `pictures` of scanned pages where asked to.

    Raises:
        UnsupportedFile: it is none of those.
    """
    if media_type not in _PARSERS:
        raise UnsupportedFile
    module, name = (pictures and _PICTURING.get(media_type)) or _PARSERS[media_type]
    return f"modulo.adapters.{module}:{name}"


@cache
def parser_at(location: str) -> Parser:
    """The parser at a location, which imports what it needs."""
    module, name = location.split(":")
    parser: Parser = getattr(import_module(module), name)()
    return parser


def parser_for(media_type: str) -> Parser:
    """The parser of a media type, in this process: for files that are known to be harmless.

    Raises:
        UnsupportedFile: there is none for it.
    """
    return parser_at(location_of(media_type))

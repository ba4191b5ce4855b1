"""The registry of parsers by media type; each is imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from modulo.domain.errors import UnsupportedFile
from modulo.domain.files import media

if TYPE_CHECKING:
    from modulo.ports.parsing import Parser

_PARSERS: Mapping[str, tuple[str, str]] = {
    media.PDF: ("pdf.parser", "PdfParser"),
    media.DOCX: ("office.docx_parser", "DocxParser"),
    media.PPTX: ("office.pptx_parser", "PptxParser"),
    media.XLSX: ("office.xlsx_parser", "XlsxParser"),
    media.HTML: ("html_parser", "HtmlParser"),
    media.MARKDOWN: ("markdown_parser", "MarkdownParser"),
    media.CSV: ("csv_parser", "CsvParser"),
    media.TSV: ("csv_parser", "CsvParser"),
    media.TEXT: ("text_parser", "TextParser"),
    media.EML: ("eml_parser", "EmlParser"),
    media.CALENDAR: ("ics_parser", "IcsParser"),
    media.SUBTITLES: ("subtitle_parser", "SubtitleParser"),
    media.NOTEBOOK: ("notebook_parser", "NotebookParser"),
    media.JSON: ("json_parser", "JsonParser"),
    media.JSON_LINES: ("json_parser", "JsonLinesParser"),
    media.CODE: ("code_parser", "CodeParser"),
    media.SQL: ("code_parser", "sql_parser"),
    media.YAML: ("code_parser", "yaml_parser"),
    media.TOML: ("code_parser", "toml_parser"),
}
_WITH_PICTURES: Mapping[str, tuple[str, str]] = {media.PDF: ("pdf.parser", "pdf_parser_with_pictures")}
"""Parsers that add pictures of pages without text."""


def location_of(media_type: str, *, pictures: bool = False) -> str:
    """The location of the parser of a media type that `domain.media` names, as `module:name`.

    If `pictures`, and where such a parser exists, it adds pictures of pages without text.

    Raises:
        UnsupportedFile: there is no parser for the media type.
    """
    if media_type not in _PARSERS:
        raise UnsupportedFile
    module, name = (pictures and _WITH_PICTURES.get(media_type)) or _PARSERS[media_type]
    return f"modulo.adapters.parsing.{module}:{name}"


@cache
def parser_at(location: str) -> Parser:
    """The parser at a location (`module:name`), imported on first use."""
    module, name = location.split(":")
    parser: Parser = getattr(import_module(module), name)()
    return parser


def parser_for(media_type: str) -> Parser:
    """The parser of a media type, without a sandbox: only for trusted files.

    Raises:
        UnsupportedFile: there is no parser for the media type.
    """
    return parser_at(location_of(media_type))

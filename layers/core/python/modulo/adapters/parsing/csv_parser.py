"""Reads CSV and TSV as one table; the delimiter is detected from the first rows."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.table_blocks import table_blocks
from modulo.adapters.parsing.text_decoding import decode, read_whole
from modulo.domain.documents.document import Page
from modulo.domain.errors import CorruptFile
from modulo.domain.files.file import DocumentInfo

_SEPARATOR = re.compile(r"\s{0,8}\"?sep=([^\w\s\"]|\t)\"?[^\S\n]{0,8}(?:\r\n?|\n|\Z)", re.IGNORECASE)
"""The line with which Excel is told the delimiter; it is no data."""
_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 100
_SAMPLE_LENGTH = 100_000
_MAX_FIELD_LENGTH = 1_000_000


class CsvParser:
    """A parser of CSV and TSV."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        text = decode(read_whole(content)).replace("\0", "")
        return OpenedDocument(DocumentInfo(), lambda: _pages(text))


def _pages(text: str) -> Iterator[Page]:
    csv.field_size_limit(_MAX_FIELD_LENGTH)
    stated = _SEPARATOR.match(text)
    if stated:
        text = text[stated.end() :]
    delimiter = (
        stated[1] if stated else _delimiter("\n".join(islice(io.StringIO(text[:_SAMPLE_LENGTH]), _SAMPLE_LINES)))
    )
    try:
        yield Page(1, tuple(table_blocks(_rows(text, delimiter))))
    except csv.Error as error:
        raise CorruptFile(f"The file is not valid CSV: {error}.") from error


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)


def _delimiter(sample: str) -> str:
    """The delimiter that divides most rows into the same number of cells, more than one."""
    best, most = ",", 0
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in _rows(sample, delimiter) if len(row) > 1)
        except csv.Error:
            continue
        width, rows = widths.most_common(1)[0] if widths else (1, 0)
        if rows * (width - 1) > most:
            best, most = delimiter, rows * (width - 1)
    return best

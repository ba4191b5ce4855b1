"""Reads CSV and its relatives: one table, its delimiter told by its first rows."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from modulo.adapters.decoding import decode, read_whole
from modulo.adapters.opened import OpenedDocument
from modulo.adapters.tabulating import table_blocks
from modulo.domain.document import Page
from modulo.domain.errors import CorruptFile
from modulo.domain.file import DocumentInfo

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 100
_SAMPLE_CHARACTERS = 100_000
_LONGEST_FIELD = 1_000_000


class CsvParser:
    """A reader of CSV."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Read it.

        Raises:
            FileRejected: it cannot be read, as the subclass says.
        """
        text = decode(read_whole(content)).replace("\0", "")
        return OpenedDocument(DocumentInfo(), lambda: _pages(text))


def _pages(text: str) -> Iterator[Page]:
    csv.field_size_limit(_LONGEST_FIELD)
    delimiter = _delimiter("\n".join(islice(io.StringIO(text[:_SAMPLE_CHARACTERS]), _SAMPLE_LINES)))
    try:
        yield Page(1, tuple(table_blocks(_rows(text, delimiter))))
    except csv.Error as error:
        raise CorruptFile(f"The file is no CSV: {error}.") from error


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)


def _delimiter(sample: str) -> str:
    """The delimiter that cuts most rows into the same number of cells, more than one."""
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

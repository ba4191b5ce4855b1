"""Reads Jupyter notebooks: text, code and what the code printed."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import BinaryIO

from modulo.adapters.parsing.json_values import Json, parse_json
from modulo.adapters.parsing.markdown_parser import MarkdownParser
from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.text_decoding import clean, decode, read_whole
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.errors import CorruptFile, EmptyFile
from modulo.domain.files.file import DocumentInfo

MAX_BYTES = 32 * 1024**2  # pictures in results take most of it
_MAX_RESULT_LENGTH = 20_000


class NotebookParser:
    """A parser of Jupyter notebooks, formats 3 and 4."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a file.

        Raises:
            FileRejected: the file cannot be read, for the reason that the subclass names.
        """
        text = decode(read_whole(content, MAX_BYTES))
        if not text.strip():
            raise EmptyFile
        cells = list(_cells(parse_json(text)))
        return OpenedDocument(DocumentInfo(), lambda: iter([Page(1, tuple(_blocks(cells)))]))


def _cells(notebook: Json) -> Iterator[Mapping[str, Json]]:
    if not isinstance(notebook, Mapping):
        raise CorruptFile("The file is no notebook: it holds no cells.")
    sheets = notebook.get("worksheets")
    for part in [notebook, *(sheets if isinstance(sheets, list) else [])]:
        cells = part.get("cells") if isinstance(part, Mapping) else None
        yield from (cell for cell in (cells if isinstance(cells, list) else []) if isinstance(cell, Mapping))


def _blocks(cells: list[Mapping[str, Json]]) -> Iterator[Block]:
    for cell in cells:
        source = _joined(cell.get("source", cell.get("input")))
        kind = cell.get("cell_type")
        if kind == "markdown" and source.strip():
            pages = MarkdownParser().parse(BytesIO(source.encode("utf-8", "replace"))).read()
            yield from (block for page in pages for block in page.blocks)
        elif kind == "heading":
            yield from _text(source, BlockKind.heading)
        else:
            yield from _text(source)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            yield from _text(_result(output))


def _result(output: Json) -> str:
    """What a cell printed, as far as it is text."""
    if not isinstance(output, Mapping):
        return ""
    data = output.get("data")
    found = data.get("text/plain") if isinstance(data, Mapping) else output.get("text")
    if output.get("output_type") in {"error", "pyerr"}:
        found = f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"
    return _joined(found)[:_MAX_RESULT_LENGTH]


def _text(text: str, kind: BlockKind = BlockKind.text) -> Iterator[Block]:
    shown = "\n".join(line.rstrip() for line in clean(text).split("\n")).strip("\n")
    if shown:
        yield Block(kind, shown, 1 if kind is BlockKind.heading else 0)


def _joined(value: Json) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""

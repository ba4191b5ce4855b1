"""Other libraries that parse each format, to compare with."""

import csv
import email
import email.policy
import io
import json
from collections.abc import Callable, Mapping

import docx
import openpyxl
import pptx
import pypdfium2
from lxml import html as lxml_html
from markdown_it import MarkdownIt


def _raw_pdf(content: bytes) -> int:
    document = pypdfium2.PdfDocument(content)
    try:
        return sum(len(page.get_textpage().get_text_range()) for page in document)
    finally:
        document.close()


def _word(content: bytes) -> int:
    document = docx.Document(io.BytesIO(content))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return sum(map(len, (*(paragraph.text for paragraph in document.paragraphs), *cells)))


def _slides(content: bytes) -> int:
    shapes = (shape for slide in pptx.Presentation(io.BytesIO(content)).slides for shape in slide.shapes)
    return sum(len(shape.text_frame.text) for shape in shapes if shape.has_text_frame)


def _workbook(content: bytes) -> int:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    return sum(len(str(cell)) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)


def _email(content: bytes) -> int:
    body = email.message_from_bytes(content, policy=email.policy.default).get_body()
    return len(body.get_content()) if body else 0


LIBRARIES: Mapping[str, Mapping[str, Callable[[bytes], object]]] = {
    "pdf": {"pypdfium2, raw text": _raw_pdf},
    "docx": {"python-docx": _word},
    "pptx": {"python-pptx": _slides},
    "xlsx": {"openpyxl": _workbook},
    "html": {"lxml": lambda content: "".join(str(part) for part in lxml_html.fromstring(content).itertext())},
    "md": {"markdown-it": lambda content: MarkdownIt().enable("table").parse(content.decode())},
    "csv": {"csv": lambda content: list(csv.reader(io.StringIO(content.decode())))},
    "txt": {"decoding": lambda content: content.decode().split("\n\n")},
    "eml": {"email": _email},
    "json": {"json": json.loads},
    "jsonl": {"json": lambda content: [json.loads(line) for line in content.splitlines()]},
}

"""How fast is each format read, alone and in a process of its own, beside the fastest libraries known for it?"""

import csv
import email
import email.policy
import io
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import docx
import openpyxl
import pptx
import pypdfium2
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from benchmarks import corpus
from benchmarks.environments import PEERS, python_of
from benchmarks.machine import ROOT
from benchmarks.measuring import Report, alone
from modulo.adapters.parsers import parser_for
from modulo.adapters.tesseract_program import PROGRAM
from modulo.domain.chunking import chunk
from modulo.domain.collection import Chunking
from modulo.domain.document import Page
from modulo.domain.media import PDF, media_type_of
from modulo.ports import Parser
from modulo.services import Services
from modulo.settings import Settings

SECTIONS = 150
SCANNED, ROUNDS = 4, 4
SECONDS, LEAST = 0.3, 2
"""Each is read for so long, at least so often; the best run counts."""
SAMPLES = ROOT.parent / "shared" / "eval" / "pdfs"
"""Real PDF, where the machine has some."""
OURS, ISOLATED = "ours", "ours, in a process"
MB = 1024**2
MORE = {
    "pdf": "reading order, headings, tables, paragraphs mended, heads and feet left out",
    "docx": "styles, headings, lists, tables, notes, text boxes",
    "pptx": "slides as pages, tables, notes",
    "xlsx": "header rows, tables apart, rows in groups",
    "html": "headings, lists, tables; menus, asides and banners left out",
    "md": "sections with their headings, tables, code",
    "csv": "delimiter and header told, rows in groups",
    "txt": "encoding told, paragraphs, headings",
    "eml": "who and when, letters inside, attachments by name",
    "json": "lines below their path, lists of objects as tables",
    "jsonl": "a passage a record, faults by line",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A file to read, with what ours makes of it."""

    name: str
    content: bytes
    pages: Sequence[Page]

    @property
    def format(self) -> str:
        """Its extension."""
        return self.name.rpartition(".")[2]

    @property
    def characters(self) -> int:
        """Of the text that ours finds."""
        return sum(len(block.text) for page in self.pages for block in page.blocks)


def measure(report: Report) -> None:
    """Read the same files with everything, one after the other."""
    python = python_of("parsing")
    samples = list(_samples())
    with tempfile.TemporaryDirectory(prefix="modulo-parsing-") as folder:
        paths = [Path(folder, one.name) for one in samples]
        for path, one in zip(paths, samples, strict=True):
            path.write_bytes(one.content)
        answer = subprocess.run(
            [python, PEERS / "parsing" / "app.py", *paths], check=True, capture_output=True, text=True
        )
    others: dict[str, dict[str, Any]] = json.loads(answer.stdout)
    isolated = Services(Settings()).parser_for
    times: dict[str, dict[str, float]] = {}
    for one in samples:
        media_type = media_type_of(one.name, one.content[:4096])
        found = {
            OURS: _seconds(_whole(parser_for(media_type)), one.content),
            ISOLATED: _seconds(_whole(isolated(media_type)), one.content),
            **{name: _seconds(read, one.content) for name, read in LIBRARIES[one.format].items()},
        }
        if one.name in others:
            found[others[one.name]["library"]] = others[one.name]["seconds"]
        times[one.name] = found
    _tell(report, samples, times)
    _tell_chunking(report, samples)
    _tell_recognition(report)


def _samples() -> Iterator[Sample]:
    chapters = corpus.sections(SECTIONS, seed=1)
    made = {f"made.{name}": write(chapters) for name, write in {**corpus.FORMATS, **corpus.MORE}.items()}
    real = {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("*.pdf"))}
    for name, content in {**made, **real}.items():
        read = _whole(parser_for(media_type_of(name, content[:4096])))
        yield Sample(name, content, read(content))


def _whole(parser: Parser) -> Callable[[bytes], list[Page]]:
    return lambda content: list(parser.parse(io.BytesIO(content)).pages())


def _seconds(read: Callable[[bytes], object], content: bytes) -> float:
    best, started, runs = float("inf"), perf_counter(), 0
    while runs < LEAST or perf_counter() - started < SECONDS:
        begun = perf_counter()
        read(content)
        best, runs = min(best, perf_counter() - begun), runs + 1
    return best


def _tell(report: Report, samples: Sequence[Sample], times: Mapping[str, Mapping[str, float]]) -> None:
    rows, bars = [], []
    for one in samples:
        found = times[one.name]
        size, text, pages = len(one.content) / MB, one.characters / MB, len(one.pages)
        rest = {name: seconds for name, seconds in found.items() if name not in (OURS, ISOLATED)}
        fastest = min(rest, key=lambda name: rest[name])
        for name, seconds in found.items():
            told = MORE[one.format] if name == OURS and seconds > rest[fastest] else ""
            speeds = (pages / seconds, size / seconds, text / seconds, found[OURS] / seconds)
            rows.append((one.name if name == OURS else "", name, seconds * 1e3, *speeds, told))
        key = f"parsing.{one.name.removeprefix('made.').removesuffix('.pdf')}"
        report.figure(f"{key}.of_fastest", rest[fastest] / found[OURS], f"of {fastest}'s speed", "ratio")
        report.figure(f"{key}.process", found[ISOLATED] / found[OURS], "x the time alone", "ratio")
        report.figure(f"{key}.pages_a_second", pages / found[OURS], "pages/s", "rate")
        bars.append((one.name, text / found[OURS]))
    columns = ("file", "read by", "ms", "pages/s", "file MB/s", "text MB/s", "x ours", "what ours also finds")
    report.table(f"Reading {SECTIONS} chapters in each format", columns, rows)
    report.bars("Reading alone", "MB of text a second", bars)
    report.note(
        "Pages are ours: where a format has none, the whole file or a group of lines is one. Others only give text or "
        "values; ours gives blocks of a document, which chunks and citations need. In a process: with limits of "
        "time, memory and text, which no library beside it has."
    )


def _tell_chunking(report: Report, samples: Sequence[Sample]) -> None:
    rows = []
    for one in samples:
        started = perf_counter()
        chunks = sum(1 for _ in chunk(iter(one.pages), Chunking()))
        rows.append((one.name, len(one.pages), chunks, one.characters / MB / (perf_counter() - started)))
        if one.name.startswith("made."):
            report.figure(f"parsing.{one.format}.chunks", chunks, "chunks", "count")
    report.table("Cutting what was read", ("file", "pages", "chunks", "text MB/s"), rows)


def _tell_recognition(report: Report) -> None:
    """Scanned pages of a PDF, beside Tesseract alone on the very scans."""
    if shutil.which(PROGRAM) is None:
        report.note(f"Nothing was recognised: {PROGRAM} is not installed.")
        return
    scans = corpus.scans(corpus.sections(SCANNED, seed=2))
    content = corpus.scanned_pdf(scans)
    ours = Services(Settings(ocr_languages="eng")).parser_for(PDF)
    found = _whole(ours)(content)  # which starts what is started once
    with tempfile.TemporaryDirectory(prefix="modulo-scans-") as folder:
        paths = [Path(folder, f"{number}.jpg") for number in range(SCANNED)]
        for path, scan in zip(paths, scans, strict=True):
            path.write_bytes(scan)
        # In turns, as what others do on the machine changes meanwhile.
        times = [(_once(_whole(ours), content), _once(_all_recognised, paths)) for _ in range(ROUNDS)]
    whole, plain = (min(each) for each in zip(*times, strict=True))
    rows = [
        (name, seconds / SCANNED, SCANNED / seconds, seconds / plain)
        for name, seconds in ((OURS, whole), (f"{PROGRAM} alone", plain))
    ]
    columns = ("read by", "s a page", "pages/s", f"x {PROGRAM} alone")
    report.table(f"Recognising {SCANNED} scanned pages", columns, rows)
    report.figure("parsing.scanned.of_tesseract", plain / whole, f"of {PROGRAM}'s speed", "ratio")
    report.figure("parsing.scanned.pages_a_second", SCANNED / whole, "pages/s", "rate")
    report.figure("parsing.scanned.recognised", sum(page.recognised for page in found), "pages", "count")
    report.note(
        "Ours draws the pages of a PDF in a process of its own, has each read within limits, and makes blocks of it."
    )


def _once(read: Callable[[Any], object], content: object) -> float:
    started = perf_counter()
    read(content)
    return perf_counter() - started


def _all_recognised(paths: Sequence[Path]) -> None:
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    for path in paths:
        command = [PROGRAM, str(path), "stdout", "--dpi", "300", "-l", "eng", "-c", "tessedit_create_hocr=1"]
        subprocess.run(command, check=True, capture_output=True, env=environment)


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


def _letter(content: bytes) -> int:
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
    "eml": {"email": _letter},
    "json": {"json": json.loads},
    "jsonl": {"json": lambda content: [json.loads(line) for line in content.splitlines()]},
}


if __name__ == "__main__":
    alone(measure)

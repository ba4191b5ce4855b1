"""How fast is each format parsed, in this process and in a sandbox, compared with the fastest known libraries?"""

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

from benchmarks import corpus
from benchmarks.machine import ROOT
from benchmarks.parsing_libraries import LIBRARIES
from benchmarks.peer_environments import PEERS, python_of
from benchmarks.report import Report, run_question
from modulo.adapters.parsing.ocr.tesseract import PROGRAM
from modulo.adapters.parsing.parser_registry import parser_for
from modulo.domain.collections.collection import Chunking
from modulo.domain.documents.document import Page
from modulo.domain.files.media import PDF, media_type_of
from modulo.domain.ingestion.chunking import chunk
from modulo.ports.parsing import Parser
from modulo.services import Services
from modulo.settings import Settings

SECTIONS = 150
SCANNED_PAGES, ROUNDS = 4, 4
MIN_SECONDS, MIN_RUNS = 0.3, 2
"""Each parser runs for at least this long and this often; the best run counts."""
SAMPLES = ROOT.parent / "shared" / "eval" / "pdfs"
"""Real PDF files, if the machine has any."""
OURS, ISOLATED = "Modulo", "Modulo, in a sandbox"
MB = 1024**2
FEATURES = {
    "pdf": "reading order, headings, tables, paragraphs joined; running headers and footers left out",
    "docx": "styles, headings, lists, tables, notes, text boxes",
    "pptx": "slides as pages, tables, notes",
    "xlsx": "header rows, separate tables, grouped rows",
    "html": "headings, lists, tables; menus, asides and banners left out",
    "md": "sections with their headings, tables, code",
    "csv": "detected delimiter and header, grouped rows",
    "txt": "detected encoding, paragraphs, headings",
    "eml": "sender, recipients and date, attached e-mails, names of attachments",
    "json": "values under their paths, lists of objects as tables",
    "jsonl": "a passage for each record, errors by line",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and the pages that Modulo's parser finds in it."""

    name: str
    content: bytes
    pages: Sequence[Page]

    @property
    def format(self) -> str:
        """The file's extension."""
        return self.name.rpartition(".")[2]

    @property
    def characters(self) -> int:
        """Length of the text that Modulo's parser finds."""
        return sum(len(block.text) for page in self.pages for block in page.blocks)


def measure(report: Report) -> None:
    """Parse the same files with Modulo and with other libraries, one after the other."""
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
    _report(report, samples, times)
    _report_chunking(report, samples)
    _report_recognition(report)


def _samples() -> Iterator[Sample]:
    chapters = corpus.sections(SECTIONS, seed=1)
    made = {f"made.{name}": write(chapters) for name, write in {**corpus.FORMATS, **corpus.PARSED_ONLY}.items()}
    real = {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("*.pdf"))}
    for name, content in {**made, **real}.items():
        read = _whole(parser_for(media_type_of(name, content[:4096])))
        yield Sample(name, content, read(content))


def _whole(parser: Parser) -> Callable[[bytes], list[Page]]:
    return lambda content: list(parser.parse(io.BytesIO(content)).pages())


def _seconds(read: Callable[[bytes], object], content: bytes) -> float:
    best, started, runs = float("inf"), perf_counter(), 0
    while runs < MIN_RUNS or perf_counter() - started < MIN_SECONDS:
        begun = perf_counter()
        read(content)
        best, runs = min(best, perf_counter() - begun), runs + 1
    return best


def _report(report: Report, samples: Sequence[Sample], times: Mapping[str, Mapping[str, float]]) -> None:
    rows, bars = [], []
    for one in samples:
        found = times[one.name]
        size, text, pages = len(one.content) / MB, one.characters / MB, len(one.pages)
        rest = {name: seconds for name, seconds in found.items() if name not in (OURS, ISOLATED)}
        fastest = min(rest, key=lambda name: rest[name])
        for name, seconds in found.items():
            features = FEATURES[one.format] if name == OURS and seconds > rest[fastest] else ""
            speeds = (pages / seconds, size / seconds, text / seconds, found[OURS] / seconds)
            rows.append((one.name if name == OURS else "", name, seconds * 1e3, *speeds, features))
        key = f"parsing.{one.name.removeprefix('made.').removesuffix('.pdf')}"
        report.figure(f"{key}.of_fastest", rest[fastest] / found[OURS], f"of {fastest}'s speed", "ratio")
        report.figure(f"{key}.process", found[ISOLATED] / found[OURS], "x the time alone", "ratio")
        report.figure(f"{key}.pages_a_second", pages / found[OURS], "pages/s", "rate")
        bars.append((one.name, text / found[OURS]))
    columns = ("file", "read by", "ms", "pages/s", "file MB/s", "text MB/s", "x Modulo", "what Modulo also finds")
    report.table(f"Reading {SECTIONS} chapters in each format", columns, rows)
    report.bars("Reading alone", "MB of text a second", bars)
    report.note(
        "Pages are Modulo's: for formats without pages, the whole file or a group of lines. Other libraries give only "
        "text or values; Modulo gives document blocks, which chunking and citations need. In a sandbox: with limits on "
        "time, memory and text size, which no other library here has."
    )


def _report_chunking(report: Report, samples: Sequence[Sample]) -> None:
    rows = []
    for one in samples:
        started = perf_counter()
        chunks = sum(1 for _ in chunk(iter(one.pages), Chunking()))
        rows.append((one.name, len(one.pages), chunks, one.characters / MB / (perf_counter() - started)))
        if one.name.startswith("made."):
            report.figure(f"parsing.{one.format}.chunks", chunks, "chunks", "count")
    report.table("Chunking the parsed text", ("file", "pages", "chunks", "text MB/s"), rows)


def _report_recognition(report: Report) -> None:
    """Recognise scanned PDF pages, compared with plain Tesseract on the same scans."""
    if shutil.which(PROGRAM) is None:
        report.note(f"Text recognition was not measured: {PROGRAM} is not installed.")
        return
    scans = corpus.scans(corpus.sections(SCANNED_PAGES, seed=2))
    content = corpus.scanned_pdf(scans)
    ours = Services(Settings(ocr_languages="eng")).parser_for(PDF)
    found = _whole(ours)(content)  # starts the parser's processes
    with tempfile.TemporaryDirectory(prefix="modulo-scans-") as folder:
        paths = [Path(folder, f"{number}.jpg") for number in range(SCANNED_PAGES)]
        for path, scan in zip(paths, scans, strict=True):
            path.write_bytes(scan)
        # Alternate, so that load from other processes affects both alike.
        times = [(_once(_whole(ours), content), _once(_all_recognised, paths)) for _ in range(ROUNDS)]
    whole, plain = (min(each) for each in zip(*times, strict=True))
    rows = [
        (name, seconds / SCANNED_PAGES, SCANNED_PAGES / seconds, seconds / plain)
        for name, seconds in ((OURS, whole), (f"{PROGRAM} alone", plain))
    ]
    columns = ("read by", "s a page", "pages/s", f"x {PROGRAM} alone")
    report.table(f"Recognising {SCANNED_PAGES} scanned pages", columns, rows)
    report.figure("parsing.scanned.of_tesseract", plain / whole, f"of {PROGRAM}'s speed", "ratio")
    report.figure("parsing.scanned.pages_a_second", SCANNED_PAGES / whole, "pages/s", "rate")
    report.figure("parsing.scanned.recognised", sum(page.recognised for page in found), "pages", "count")
    report.note(
        "Modulo renders the PDF pages in a sandbox, recognises each within limits, and builds blocks from the result."
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


if __name__ == "__main__":
    run_question(measure)

"""Deterministic documents and questions for benchmarks, generated in every supported format."""

import csv
import io
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape
from typing import Any

import docx
import openpyxl
import pptx
import pypdfium2
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

PLACES = ("Tarnby", "Holm", "Vester", "Aaby", "Nordre", "Skagen", "Lund", "Ribe", "Dragor", "Marstal")
THINGS = ("lighthouse", "pump station", "library", "bridge", "reservoir", "museum", "ferry", "windmill", "harbour")
MAKERS = ("the council", "the water company", "a group of engineers", "the regional archive", "Dr. Smith's office")
DEEDS = ("inspected", "rebuilt", "measured", "approved", "described", "repaired", "replaced", "financed", "closed")
REASONS = (
    "because the foundations had moved by {a} millimetres since {y}",
    "after a storm that lasted {a} hours and flooded {b} cellars",
    "so that {b} households would have water within {a} days",
    "although the budget of {b} thousand crowns had been spent by {y}",
    "while visitors paid {a} crowns and saw {b} exhibits",
    "and published a report of {b} pages with {a} recommendations",
)
LINES_A_PAGE, LINE_CHARACTERS = 44, 92


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its paragraphs."""

    heading: str
    paragraphs: tuple[str, ...]


def sentences(seed: int) -> Iterator[str]:
    """An endless stream of sentences that rarely repeat."""
    rng = random.Random(seed)
    while True:
        year, a, b = rng.randint(1850, 2020), rng.randint(2, 99), rng.randint(100, 9_999)
        maker, deed, thing = rng.choice(MAKERS), rng.choice(DEEDS), rng.choice(THINGS)
        reason = rng.choice(REASONS).format(a=a, b=b, y=rng.randint(1800, year))
        yield f"In {year} {maker} {deed} the {thing} of {rng.choice(PLACES)} {reason}."


def sections(count: int, *, seed: int, paragraphs: int = 4) -> list[Section]:
    """`count` sections of about 300 words each."""
    stream = sentences(seed)
    return [
        Section(f"Chapter {number}", tuple(" ".join(next(stream) for _ in range(4)) for _ in range(paragraphs)))
        for number in range(1, count + 1)
    ]


def questions(count: int, *, seed: int = 7) -> list[str]:
    """Distinct questions."""
    rng = random.Random(seed)
    return [
        f"Who {rng.choice(DEEDS)} the {rng.choice(THINGS)} of {rng.choice(PLACES)} "
        f"in {rng.randint(1850, 2020)}, and what was report {number} about?"
        for number in range(count)
    ]


def text(chapters: Sequence[Section]) -> bytes:
    """Plain text."""
    return "\n\n".join(line for one in chapters for line in (one.heading, *one.paragraphs)).encode()


def markdown(chapters: Sequence[Section]) -> bytes:
    """Markdown."""
    return "\n\n".join(line for one in chapters for line in (f"## {one.heading}", *one.paragraphs)).encode()


def html(chapters: Sequence[Section]) -> bytes:
    """A page with navigation around its text."""
    body = "".join(
        f"<h2>{escape(one.heading)}</h2>" + "".join(f"<p>{escape(part)}</p>" for part in one.paragraphs)
        for one in chapters
    )
    nav = "<nav><a href='/'>Home</a></nav>"
    return (
        f"<!DOCTYPE html><html><head><title>Report</title></head><body>{nav}<main>{body}</main></body></html>".encode()
    )


def table(chapters: Sequence[Section]) -> bytes:
    """Comma-separated values, one row for each sentence."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows(_rows(chapters))
    return out.getvalue().encode()


def workbook(chapters: Sequence[Section]) -> bytes:
    """An Excel workbook with one sheet."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Deeds")
    for row in _rows(chapters):
        sheet.append(row)
    return _saved(book)


def word(chapters: Sequence[Section]) -> bytes:
    """A Word document."""
    document = docx.Document()
    for one in chapters:
        document.add_heading(one.heading, 1)
        for part in one.paragraphs:
            document.add_paragraph(part)
    return _saved(document)


def slides(chapters: Sequence[Section]) -> bytes:
    """A presentation, one slide for each paragraph."""
    presentation = pptx.Presentation()
    for one in chapters:
        for part in one.paragraphs:
            slide = presentation.slides.add_slide(presentation.slide_layouts[1])
            slide.shapes.title.text = one.heading
            slide.placeholders[1].text = part
    return _saved(presentation)


def pdf(chapters: Sequence[Section]) -> bytes:
    """A PDF, one page for each section."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=LETTER, invariant=1, pageCompression=1)
    for one in chapters:
        lines = [line for part in one.paragraphs for line in (*_wrapped(part), "")]
        canvas.setFont("Helvetica-Bold", 14)
        canvas.drawString(54, 740, one.heading)
        page = canvas.beginText(54, 715)
        page.setFont("Helvetica", 10)
        for line in lines[:LINES_A_PAGE]:
            page.textLine(line)
        canvas.drawText(page)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def scans(chapters: Sequence[Section]) -> list[bytes]:
    """Pages rendered as a scanner would: grayscale JPEG at 300 dpi."""
    found = []
    for page in pypdfium2.PdfDocument(pdf(chapters)):
        jpeg = io.BytesIO()
        page.render(scale=299.999 / 72, grayscale=True).to_pil().save(jpeg, "JPEG", quality=75)
        found.append(jpeg.getvalue())
    return found


def scanned_pdf(pages: Sequence[bytes]) -> bytes:
    """A PDF, one page for each scan."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=LETTER, invariant=1)
    for scan in pages:
        canvas.drawImage(ImageReader(io.BytesIO(scan)), 0, 0, *LETTER)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


FORMATS: Mapping[str, Callable[[Sequence[Section]], bytes]] = {
    "pdf": pdf,
    "docx": word,
    "pptx": slides,
    "xlsx": workbook,
    "html": html,
    "md": markdown,
    "csv": table,
    "txt": text,
}


def email(chapters: Sequence[Section]) -> bytes:
    """An e-mail."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ada <ada@example.org>", "ben@example.org", "Reports"
    message.set_content(text(chapters).decode())
    return bytes(message)


def records(chapters: Sequence[Section]) -> bytes:
    """JSON: an object that contains a list of objects."""
    rows = _rows(chapters)
    names = next(rows)
    return json.dumps({"deeds": [dict(zip(names, row, strict=True)) for row in rows]}).encode()


def lines(chapters: Sequence[Section]) -> bytes:
    """JSON Lines, one object for each sentence."""
    rows = _rows(chapters)
    names = next(rows)
    return "\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows).encode()


PARSED_ONLY: Mapping[str, Callable[[Sequence[Section]], bytes]] = {"eml": email, "json": records, "jsonl": lines}
"""Formats that benchmarks parse but do not ingest."""


def _rows(chapters: Sequence[Section]) -> Iterator[list[str]]:
    yield ["Chapter", "Number", "Sentence"]
    for one in chapters:
        split = [sentence for part in one.paragraphs for sentence in part.split(". ")]
        for number, sentence in enumerate(split, 1):
            yield [one.heading, str(number), sentence]


def _wrapped(paragraph: str) -> Iterator[str]:
    line = ""
    for word_ in paragraph.split():
        if len(line) + len(word_) >= LINE_CHARACTERS:
            yield line
            line = ""
        line = f"{line} {word_}".lstrip()
    yield line


def _saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()

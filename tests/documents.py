"""Documents of every readable kind, and the broken ones that users upload, made on the spot."""

import datetime as dt
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Container, Sequence

import docx
import openpyxl
import pptx
import pypdfium2 as pdfium
from docx.enum.text import WD_BREAK
from openpyxl.chart import BarChart
from pptx.util import Inches
from reportlab.lib import colors
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

TITLE = "Annual Report"
AUTHOR = "Ada Lovelace"
SENTENCES = (
    "The committee met in March and approved the budget of 1.2 million dollars.",
    "It asked Dr. Smith for a report on the pump station by the end of June.",
    "Rainfall in the valley was the highest since records began in 1871.",
)
PARAGRAPH = " ".join(SENTENCES)
ROWS = (
    ("Region", "2019", "2020"),
    ("North", "1,200", "1,350"),
    ("South", "980", "1,010"),
    ("East", "77", "64"),
)
TABLE_TEXT = "\n".join(" | ".join(row) for row in ROWS)


def pdf(*, pages: int = 2, password: str = "", lines: bool = True) -> bytes:
    """A report: each page a heading, a paragraph, a table framed by lines or by nothing, a running head."""
    styles = getSampleStyleSheet()
    shape = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)] if lines else []
    story: list[object] = []
    for number in range(1, pages + 1):
        story += [
            Paragraph(f"Chapter {number}", styles["Heading1"]),
            Paragraph(PARAGRAPH * 2, styles["BodyText"]),
            Paragraph("Sales by region", styles["Heading2"]),
            Table(ROWS, colWidths=[120, 80, 80], style=TableStyle(shape)),
            Spacer(1, 12),
            Paragraph(f"This is the end of chapter {number}.", styles["BodyText"]),
            PageBreak(),
        ]
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=LETTER,
        title=TITLE,
        author=AUTHOR,
        subject="Water",
        encrypt=StandardEncryption(password) if password else None,
    )
    document.build(story, onFirstPage=_running_head, onLaterPages=_running_head)
    return out.getvalue()


def _running_head(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawString(72, LETTER[1] - 30, "Confidential running head")
    canvas.drawString(300, 30, str(document.page))


def drawn_pdf(draw: Callable[[Canvas], None], *, size: tuple[float, float] = LETTER) -> bytes:
    """A PDF of what `draw` draws."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=size, invariant=1)
    draw(canvas)
    canvas.save()
    return out.getvalue()


def columns_pdf(times: int = 1) -> bytes:
    """A page of two columns, with words that the ends of lines cut in two; each says the same so many times."""
    left = (
        "The first column speaks of the impor-",
        "tance of dams. The second line goes on",
        "and the column ends here.",
    )
    right = ("The second column is about well-", "known rivers. Rivers are well-known.", "It ends here.")

    def draw(canvas: Canvas) -> None:
        for at, lines in ((72, left), (320, right)):
            text = canvas.beginText(at, 700)
            text.setFont("Helvetica", 10)
            for line in lines * times:
                text.textLine(line)
            canvas.drawText(text)
        canvas.showPage()

    return drawn_pdf(draw)


def turned_pdf(degrees: int) -> bytes:
    """A page with a table that is seen only when the page is turned."""

    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(degrees)
        if degrees == 90:
            canvas.translate(LETTER[0], 0)
            canvas.rotate(90)
        table = Table(ROWS, colWidths=[120, 80, 80], style=TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)]))
        table.wrapOn(canvas, 400, 400)
        table.drawOn(canvas, 100, 300)
        canvas.showPage()

    return drawn_pdf(draw)


def scanned_pdf(pages: int = 2) -> bytes:
    """Pages that are pictures without text."""

    def draw(canvas: Canvas) -> None:
        for _ in range(pages):
            picture = io.BytesIO(png())
            canvas.drawInlineImage(_image(picture), 0, 0, width=LETTER[0], height=LETTER[1])
            canvas.showPage()

    return drawn_pdf(draw)


def _image(picture: io.BytesIO) -> object:
    from PIL import Image  # reportlab's own dependency

    return Image.open(picture)


def scan(content: bytes, *, pages: Container[int] = range(1, 10_000), degrees: int = 0, sharpness: int = 300) -> bytes:
    """A PDF with the pages of these numbers as pictures of them, turned clockwise by so many degrees."""
    source, made = pdfium.PdfDocument(content), pdfium.PdfDocument.new()
    for number, page in enumerate(source, 1):
        if number not in pages:
            made.import_pages(source, [number - 1])
            continue
        seen = page.render(scale=sharpness / 72, grayscale=True).to_pil().rotate(-degrees, expand=True)
        jpeg = io.BytesIO()
        seen.save(jpeg, "JPEG", quality=75)
        image = pdfium.PdfImage.new(made)
        image.load_jpeg(jpeg, inline=True)
        width, height = (side * 72 / sharpness for side in seen.size)
        image.set_matrix(pdfium.PdfMatrix().scale(width, height))
        sheet = made.new_page(width, height)
        sheet.insert_obj(image)
        sheet.gen_content()
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def pictured_pdf(picture: bytes, *, width: int, height: int, size: tuple[int, int] = (612, 792)) -> bytes:
    """A page that is a picture, which is said to have so many gray pixels and is packed as `picture`."""
    drawing = b"q %d 0 0 %d 0 0 cm /I Do Q" % size
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Resources<</XObject<</I 5 0 R>>>>/Contents 4 0 R>>" % size,
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode"
        b"/Length %d>>stream\n%s\nendstream" % (width, height, len(picture), picture),
    )
    out, starts = b"%PDF-1.5\n", []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    end = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(out)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def partly_scanned_pdf() -> bytes:
    """A page of text between two that are pictures."""

    def draw(canvas: Canvas) -> None:
        for number in range(3):
            if number == 1:
                canvas.drawString(72, 700, PARAGRAPH)
            else:
                canvas.drawInlineImage(_image(io.BytesIO(png())), 0, 0, 600, 700)
            canvas.showPage()

    return drawn_pdf(draw)


def empty_pdf() -> bytes:
    """A page with nothing on it."""
    return drawn_pdf(lambda canvas: canvas.showPage())


def png(side: int = 8) -> bytes:
    """A gray picture."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x80" * side for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def word(*, page_break: bool = False) -> bytes:
    """A report with headings, a list, a table with merged cells and core properties."""
    document = docx.Document()
    document.core_properties.title = TITLE
    document.core_properties.author = AUTHOR
    document.add_heading("Annual Report", 0)
    document.add_heading("Water", 1)
    document.add_paragraph(PARAGRAPH)
    document.add_paragraph("Dams", style="List Bullet")
    document.add_paragraph("Rivers", style="List Bullet")
    if page_break:
        document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    document.add_heading("Sales", 2)
    table = document.add_table(rows=len(ROWS), cols=3)
    for cells, row in zip(table.rows, ROWS, strict=True):
        for cell, text in zip(cells.cells, row, strict=True):
            cell.text = text
    document.add_paragraph("After the table.")
    return _saved(document)


def merged_word() -> bytes:
    """A table whose first column goes over two rows."""
    document = docx.Document()
    table = document.add_table(rows=3, cols=2)
    for cell, text in zip(
        (c for row in table.rows for c in row.cells), ("Area", "Town", "North", "A", "", "B"), strict=True
    ):
        cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    return _saved(document)


def slides() -> bytes:
    """Three slides: title and items, a table, and a hidden one."""
    presentation = pptx.Presentation()
    presentation.core_properties.title = TITLE
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Water"
    first.placeholders[1].text = "Dams\nRivers"
    first.notes_slide.notes_text_frame.text = "Speak slowly."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Sales"
    frame = second.shapes.add_table(len(ROWS), 3, Inches(1), Inches(2), Inches(6), Inches(2))
    for number, row in enumerate(ROWS):
        for column, text in enumerate(row):
            frame.table.cell(number, column).text = text
    third = presentation.slides.add_slide(presentation.slide_layouts[5])
    third.shapes.title.text = "Secret"
    third._element.set("show", "0")
    return _saved(presentation)


def workbook() -> bytes:
    """Two sheets and a chart: a title above a table with numbers, dates and percentages."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sales"
    sheet.append(["Sales of the year"])
    sheet.append([])
    sheet.append(["Region", "Date", "Amount", "Share", None, "Good"])
    sheet.append(["North", dt.date(2020, 3, 1), 0.1 + 0.2, 0.25, None, True])
    sheet.append(["South", dt.datetime(2020, 3, 2, 14, 30), 1_000_000, 0.5, None, False])
    sheet["D4"].number_format = "0%"
    sheet["D5"].number_format = "0.0%"
    other = book.create_sheet("People")
    other.append(["Name", "Age"])
    other.append(["Ada", 36])
    book.create_chartsheet("Chart").add_chart(BarChart())
    hidden = book.create_sheet("Hidden")
    hidden.append(["a", "b"])
    hidden.sheet_state = "hidden"
    book.properties.title = TITLE
    book.properties.creator = AUTHOR
    return _saved(book)


def _saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]  # has no types
    return out.getvalue()


HTML = f"""<!DOCTYPE html><html><head><title>{TITLE}</title><meta charset="utf-8">
<meta name="author" content="{AUTHOR}">
<style>p {{ color: red }}</style><script>alert("never")</script></head><body>
<nav><a href="/">Home</a><ul><li>Menu</li></ul></nav><main><h1>Water</h1><p>First   paragraph
goes on.<br>New line.</p><div>Loose <b>words</b> in a box<p>Inner.</p>tail</div>
<h2>Lists</h2><ul><li>Dams<ol><li>high</li><li>low</li></ol></li><li>Rivers</li></ul>
<pre>  code
    kept</pre><table><caption>Sales</caption><tr><th>Region</th><th>2019</th><th>2020</th></tr>
<tr><td rowspan="2">North</td><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>
<p style="display:none">hidden</p><p>caf&eacute; &amp; tea</p></main><footer>Imprint</footer></body></html>"""

MARKDOWN = f"""---
title: "{TITLE}"
author: {AUTHOR}
---
# Water

First *paragraph* with a [link](https://example.org)
goes on.

## Lists

- Dams
  1. high
  2. low
- Rivers

```python
# no heading
print("code")
```

| Region | 2019 |
|--------|-----:|
| North  | **1** |

<!-- a comment -->
"""

E_MAIL = f"""From: =?utf-8?q?{AUTHOR.replace(" ", "_")}?= <ada@example.org>
To: council@example.org
Subject: =?utf-8?B?QW5udWFsIFJlcG9ydA==?=
Date: Tue, 3 Mar 2020 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/html

<p>never shown
--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

{PARAGRAPH}

Caf=E9 is soft=
ly lit.
--inner--
--outer
Content-Type: application/pdf
Content-Disposition: attachment; filename="=?utf-8?q?caf=C3=A9.pdf?="
Content-Transfer-Encoding: base64

JVBERi0=
--outer
Content-Type: message/rfc822

From: charles@example.org
Subject: Forwarded

Look at this.
--outer--
"""

JSON = """{"title": "Annual Report", "year": 2020, "tags": ["water", "dams"], "nothing": null, "open": true,
"sales": [{"region": "North", "amount": 12345678901234567890123}, {"region": "South", "amount": 1e999}],
"site": {"address": {"town": "Ely"}}, "notes": [{"by": {"name": "Ada"}, "text": "one"}, {"seen": [1, {"a": 2}]}]}"""

JSON_LINES = '{"region": "North", "site": {"town": "Ely"}}\n\n{"region": "South"}\n'

CODE = '''"""A module."""

import re


# Opens it.
@cached
def opened(name: str) -> None:
    if name:
                return


class Door:
    def close(self) -> None: ...
'''

SQL = """-- Who may enter
CREATE TABLE IF NOT EXISTS public.users (
  id int
);

SELECT 1;
"""


def without_end(content: bytes, part: float = 0.6) -> bytes:
    """A file that was cut short on its way."""
    return content[: int(len(content) * part)]


def zipped(parts: Sequence[tuple[str, bytes]]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return out.getvalue()


def with_part(document: bytes, name: str, content: bytes) -> bytes:
    """An Office document with one part replaced or added."""
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        parts = [(item.filename, archive.read(item)) for item in archive.infolist() if item.filename != name]
    return zipped([*parts, (name, content)])


def with_text(document: bytes, name: str, old: str, new: str) -> bytes:
    """An Office document with the first occurrence of a text in one part replaced."""
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        text = archive.read(name).decode()
    assert old in text
    return with_part(document, name, text.replace(old, new, 1).encode())


def zip_bomb() -> bytes:
    """A Word document that unpacks to a thousand times its size."""
    return with_part(word(), "word/media/zeros.bin", bytes(64 * 1024**2))


def entity_bomb(document: bytes, part: str) -> bytes:
    """An Office document whose part multiplies entities."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><x>&e9;</x>'
    return with_part(document, part, text.encode())


def encrypted_office() -> bytes:
    """The container in which Office keeps documents with a password."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(1000)


def old_office() -> bytes:
    """A container of Word 97."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "WordDocument".encode("utf-16-le") + bytes(1000)

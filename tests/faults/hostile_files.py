"""Files made to break whoever reads them, each with how it may end."""

import base64
import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests import documents

WORD = "Waterworks"
"""Stands in every file that can be read."""
READY = "ready"


@dataclass(frozen=True)
class HostileFile:
    """A file's name, its content, and the codes of the problems with which it may end, or `READY`."""

    name: str
    content: Callable[[], bytes]
    ends: frozenset[str]

    @classmethod
    def of(cls, name: str, content: Callable[[], bytes | str] | bytes | str, *ends: str) -> "HostileFile":
        def made() -> bytes:
            found = content() if callable(content) else content
            return found.encode() if isinstance(found, str) else found

        return cls(name, made, frozenset(ends))


def raw_pdf(objects: Mapping[int, bytes], *, trailer: bytes = b"", prev: int | None = None) -> bytes:
    """A PDF of just these objects; the first one is its catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, content in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d %05d %c \n" % (places.get(number, 0), 0, ord("n" if number in places else "f"))
    back = b"/Prev %d" % (start if prev is None else prev) if prev is not None else b""
    out += b"trailer\n<< /Size %d /Root 1 0 R %s %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, back, start)
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def page_pdf(contents: bytes, entries: bytes = b"", **more: bytes) -> bytes:
    """One page whose contents are the fourth object, with Helvetica as the fifth; more objects from the sixth on."""
    return raw_pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources "
            b"<< /Font << /F 5 0 R >> %s >> >>" % entries,
            4: contents,
            5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            **{int(name[1:]): content for name, content in more.items()},
        }
    )


SHOWN = b"BT /F 12 Tf 72 700 Td (%s) Tj ET" % WORD.encode()


def looping_pages() -> bytes:
    return raw_pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 1000000 /Parent 2 0 R >>",
            3: b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 1000000 /Parent 3 0 R >>",
        }
    )


def looping_outline() -> bytes:
    return raw_pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
            2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
            b"/Resources << /Font << /F 5 0 R >> >> >>",
            4: stream(SHOWN),
            5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            6: b"<< /First 7 0 R /Last 7 0 R /Count 99999999 >>",
            7: b"<< /Title (a) /Next 8 0 R /First 7 0 R /Parent 6 0 R /Dest [3 0 R /Fit] >>",
            8: b"<< /Title (b) /Next 7 0 R /First 8 0 R /Parent 7 0 R /Dest [3 0 R /Fit] >>",
        }
    )


def looping_forms() -> bytes:
    """A form that draws another twice, which draws the first: exponential, were it followed."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << /A 6 0 R /B 7 0 R >> >>"
    return page_pdf(
        stream(SHOWN + b" /A Do"),
        b"/XObject << /A 6 0 R >>",
        o6=stream(b"/B Do /B Do", form),
        o7=stream(b"/A Do /A Do", form),
    )


def multiplying_forms(depth: int = 24) -> bytes:
    """Each form draws the next one twice: sixteen million drawings in two kilobytes."""
    more = {}
    for number in range(6, 6 + depth):
        inside = b"/N Do /N Do" if number < 5 + depth else b"0 0 m 1 1 l S"
        resources = b"/Resources << /XObject << /N %d 0 R >> >>" % (number + 1)
        more[f"o{number}"] = stream(inside, b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] " + resources)
    return page_pdf(stream(SHOWN + b" /N Do"), b"/XObject << /N 6 0 R >>", **more)


def endless_length() -> bytes:
    """A stream whose length is the stream itself."""
    return page_pdf(b"<< /Length 4 0 R >>\nstream\n" + SHOWN + b"\nendstream")


def endless_previous() -> bytes:
    """A table of objects whose previous one is itself."""
    whole = page_pdf(stream(SHOWN))
    start = whole.rindex(b"xref\n0")
    return whole.replace(b"trailer\n<<", b"trailer\n<< /Prev %d" % start)


def deep_arrays() -> bytes:
    return page_pdf(stream(SHOWN), b"/Deep " + b"[" * 200_000 + b"]" * 200_000)


def deep_operators() -> bytes:
    return page_pdf(stream(b"q " * 500_000 + SHOWN))


def stream_bomb(times: int = 1) -> bytes:
    """Spaces that unpack a thousandfold, or a millionfold where they are packed twice."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 1024**2) for _ in range(512)) + packer.flush()
    for _ in range(times - 1):
        packed = zlib.compress(packed, 9)
    return page_pdf(stream(packed, b"/Filter [%s]" % (b"/FlateDecode " * times)))


def filter_chain() -> bytes:
    packed = SHOWN
    for _ in range(200):
        packed = zlib.compress(packed)
    return page_pdf(stream(packed, b"/Filter [%s]" % (b"/FlateDecode " * 200)))


def huge_picture() -> bytes:
    """Ten billion pixels in a few bytes."""
    picture = stream(
        zlib.compress(bytes(10_000)),
        b"/Type /XObject /Subtype /Image /Width 100000 /Height 100000 /ColorSpace /DeviceRGB "
        b"/BitsPerComponent 8 /Filter /FlateDecode",
    )
    return page_pdf(stream(b"100 0 0 100 0 0 cm /I Do"), b"/XObject << /I 6 0 R >>", o6=picture)


def huge_page() -> bytes:
    return page_pdf(stream(SHOWN)).replace(b"[0 0 612 792]", b"[-1e38 -1e38 1e38 1e38]")


def many_pages(count: int = 1_600) -> bytes:
    """So many pages in five megabytes, most of them remarks that no reader sees."""
    kids = b" ".join(b"%d 0 R" % number for number in range(4, 4 + 2 * count, 2))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for number in range(4, 4 + 2 * count, 2):
        objects[number] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F 3 0 R >> >> >>" % (number + 1)
        )
        objects[number + 1] = stream(SHOWN + b"\n%" + b"-" * 2_900)
    return raw_pdf(objects)


def lying_sizes() -> bytes:
    """A document whose directory says that its text is short."""
    whole = bytearray(documents.with_part(documents.word(), "word/document.xml", b"<x>" + b" " * 10**7 + b"</x>"))
    place = whole.rindex(b"word/document.xml") - 46
    assert whole[place : place + 4] == b"PK\x01\x02"
    whole[place + 24 : place + 28] = struct.pack("<I", 100)
    return bytes(whole)


def overlapping_entries() -> bytes:
    """A directory of nine thousand names for one entry of eight megabytes."""
    whole = documents.with_part(documents.word(), "word/media/a.bin", random.Random(1).randbytes(8) * 1024**2)
    archive = zipfile.ZipFile(io.BytesIO(whole))
    start, end = archive.start_dir, whole.rindex(b"PK\x05\x06")
    directory = whole[start:end]
    entry = directory[directory.rindex(b"PK\x01\x02") :]
    more = b"".join(entry.replace(b"word/media/a.bin", b"word/media/%05d" % number) for number in range(9_000))
    closing = bytearray(whole[end:])
    count = len(archive.infolist()) + 9_000
    closing[8:12] = struct.pack("<HH", count, count)
    closing[12:16] = struct.pack("<I", len(directory) + len(more))
    return whole[:start] + directory + more + bytes(closing)


def nested_archives() -> bytes:
    """A document with an archive in an archive, and so on, which nobody needs to open."""
    inner = documents.zipped([("zeros", bytes(1024**2))])
    for _ in range(10):
        inner = documents.zipped([(f"{number}.zip", inner) for number in range(5)])
    return documents.with_part(documents.word(), "word/embeddings/a.zip", inner)


def external_entity() -> bytes:
    text = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    return documents.with_part(documents.word(), "word/document.xml", text)


def quadratic_entity() -> bytes:
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "{"a" * 50_000}">]><x>{"&e;" * 50_000}</x>'
    return documents.with_part(documents.word(), "word/document.xml", text.encode())


def deep_word(depth: int = 100_000) -> bytes:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    inside = "<w:tbl><w:tr><w:tc>" * depth + "</w:tc></w:tr></w:tbl>" * depth
    text = f'<w:document xmlns:w="{space}"><w:body>{inside}</w:body></w:document>'
    return documents.with_part(documents.word(), "word/document.xml", text.encode())


def long_paragraph() -> bytes:
    return documents.with_text(
        documents.word(), "word/document.xml", documents.SENTENCES[0], f"{WORD} " + "endless" * 200_000
    )


def huge_sheet() -> bytes:
    """One value in the very last cell."""
    return documents.with_text(documents.workbook(), "xl/worksheets/sheet1.xml", 'r="A1"', 'r="XFD1048576"')


def strings_without_end() -> bytes:
    """A sheet that refers to texts that are not there."""
    return documents.with_text(documents.workbook(), "xl/worksheets/sheet1.xml", "<v>0</v>", "<v>99999999999</v>")


def letter(body: str, kind: str = "text/plain", head: str = "") -> str:
    return f"From: a@example.org\nTo: b@example.org\nSubject: {WORD}\n{head}Content-Type: {kind}\n\n{body}"


def nested_letters(depth: int) -> str:
    return letter("").replace("text/plain", "message/rfc822") * depth + letter("deep")


def multiparts(depth: int) -> str:
    opened = "".join(f"--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(depth))
    return letter(opened, "multipart/mixed; boundary=b0")


def many_letter_parts(count: int) -> str:
    return letter("--b\nContent-Type: text/plain\n\nx\n" * count + "--b--", "multipart/mixed; boundary=b")


def packed_letter() -> str:
    """Text of which every letter is written as three, then packed again as base64."""
    inside = base64.b64encode((WORD + " " + "=41" * 300_000).encode()).decode()
    return letter(inside, "text/plain", "Content-Transfer-Encoding: base64\n")


def mutants(content: bytes, number: int, seed: int) -> Iterator[bytes]:
    """Copies with bytes flipped, cut out, repeated, overwritten or swapped; always the same ones."""
    chance = random.Random(seed)
    for _ in range(number):
        made = bytearray(content)
        for _ in range(chance.choice((1, 1, 2, 5, 20))):
            start = chance.randrange(len(made))
            stretch = made[start : start + chance.choice((1, 1, 4, 16, 200, 4_000))]
            made[start : start + len(stretch)] = _damaged(stretch, made, chance)
            made = made or bytearray(b"0")
        yield bytes(made)


def _damaged(stretch: bytearray, whole: bytearray, chance: random.Random) -> bytes:
    """Something in place of a stretch of the whole."""
    other = chance.randrange(len(whole))
    return chance.choice(
        (
            b"",
            bytes(stretch) * chance.choice((2, 4, 50)),
            bytes([stretch[0] ^ 1 << chance.randrange(8)]) + stretch[1:],
            chance.randbytes(len(stretch)),
            bytes(len(stretch)),
            bytes(whole[other : other + len(stretch)]),
            re.sub(rb"\d", b"9", stretch),
        )
    )


def office_mutants(content: bytes, number: int, seed: int) -> Iterator[bytes]:
    """Office documents with damage inside their parts, which no checksum of the archive's gives away."""
    chance = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {item.filename: archive.read(item) for item in archive.infolist()}
    names = sorted(name for name in parts if name.endswith((".xml", ".rels")) and "theme" not in name)
    for _ in range(number):
        name = chance.choice(names)
        (damaged,) = mutants(parts[name], 1, chance.randrange(2**32))
        yield documents.zipped([*(parts | {name: damaged}).items()])

"""PDF written by hand: text at any angle and in any script, form fields, notes, XFA, and what is missing at the end."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_UNICODE = (
    b"/CIDInit /ProcSet findresource begin begincmap\n1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
    + b"".join(
        b"%d beginbfrange\n" % len(block)
        + b"".join(b"<%02x00> <%02xff> <%02x00>\n" % (high, high, high) for high in block)
        + b"endbfrange\n"
        for block in (range(90), range(90, 180), range(180, 256))
    )
    + b"endcmap end"
)


@dataclass
class RawPdf:
    """Pages of content, with the font /L for Latin text, /U for text of 2-byte codes, and /V for lines that go down.

    `meanings` is the map from the codes of /U to Unicode: by default each code is what it means.
    """

    pages: Sequence[bytes] = ()
    annotations: Sequence[str] = ()
    acroform: str = ""
    xfa: bytes = b""
    rotate: int = 0
    box: str = "/MediaBox[0 0 612 792]"
    title: str = ""
    meanings: bytes = _UNICODE
    advance: int = 500
    attachment: str = ""
    objects: list[bytes] = field(default_factory=list)

    def content(self, *, trailer: bool = True, start: bool = True) -> bytes:
        """The file; without its trailer, or without the place of its table of objects, where asked to."""
        self.objects = [b"", b""]
        fonts = self._fonts()
        notes = [self._add(note.encode("latin-1")) for note in self.annotations]
        kids = []
        for number, page in enumerate(self.pages):
            stream = self._add(_stream(page))
            mine = f"/Annots[{' '.join(f'{note} 0 R' for note in notes)}]" if notes and not number else ""
            kids.append(
                self._add(
                    f"<</Type/Page/Parent 2 0 R{self.box}/Rotate {self.rotate}/Contents {stream} 0 R"
                    f"/Resources<</Font<<{fonts}>>>>{mine}>>".encode()
                )
            )
        self.objects[0] = f"<</Type/Catalog/Pages 2 0 R{self._catalog(notes)}>>".encode("latin-1")
        listed = " ".join(f"{kid} 0 R" for kid in kids)
        self.objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{listed}]>>".encode()
        information = f"/Info {self._add(f'<</Title({self.title})>>'.encode())} 0 R" if self.title else ""
        return self._written(information, trailer=trailer, start=start)

    def _add(self, item: bytes) -> int:
        self.objects.append(item)
        return len(self.objects)

    def _fonts(self) -> str:
        latin = self._add(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
        meanings = self._add(_stream(self.meanings))
        shape = self._add(
            b"<</Type/FontDescriptor/FontName/Any/Flags 4/FontBBox[0 -200 1000 800]/ItalicAngle 0"
            b"/Ascent 800/Descent -200/CapHeight 700/StemV 80>>"
        )
        names = [f"/L {latin} 0 R"]
        for name, way, advance in (("U", "H", self.advance), ("V", "V", 1000)):
            glyphs = self._add(
                f"<</Type/Font/Subtype/CIDFontType2/BaseFont/Any/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
                f"/Supplement 0>>/DW {advance}/FontDescriptor {shape} 0 R>>".encode()
            )
            font = self._add(
                f"<</Type/Font/Subtype/Type0/BaseFont/Any/Encoding/Identity-{way}/DescendantFonts[{glyphs} 0 R]"
                f"/ToUnicode {meanings} 0 R>>".encode()
            )
            names.append(f"/{name} {font} 0 R")
        return "".join(names)

    def _catalog(self, notes: Sequence[int]) -> str:
        fields = " ".join(f"{note} 0 R" for note in notes)
        form = self.acroform.replace("@fields", f"/Fields[{fields}]")
        if self.xfa:
            form += f"/XFA {self._add(_stream(self.xfa))} 0 R"
        catalog = f"/AcroForm<<{form}>>" if form else ""
        if self.attachment:
            file = self._add(_stream(b"sealed"))
            name = self.attachment
            attached = f"<</Type/Filespec/F({name})/UF({name})/EF<</F {file} 0 R>>>>"
            catalog += f"/Names<</EmbeddedFiles<</Names[({name}){attached}]>>>>"
        return catalog

    def _written(self, information: str, *, trailer: bool, start: bool) -> bytes:
        written = bytearray(b"%PDF-1.7\n%\xc3\xa4\n")
        places = []
        for number, item in enumerate(self.objects, 1):
            places.append(len(written))
            written += b"%d 0 obj\n%b\nendobj\n" % (number, item)
        table = len(written)
        if trailer:
            written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
            written += b"".join(b"%010d 00000 n \n" % place for place in places)
            written += f"trailer\n<</Size {len(places) + 1}/Root 1 0 R{information}>>\n".encode()
        return bytes(written) + (b"startxref\n%d\n%%%%EOF\n" % table if start else b"")


def _stream(content: bytes) -> bytes:
    return b"<</Length %d>>stream\n%b\nendstream" % (len(content), content)


def shown(
    text: str, x: float, y: float, *, font: str = "L", size: float = 12, degrees: float = 0, more: str = ""
) -> bytes:
    """Text from a place on, turned counterclockwise."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    said = f"<{text.encode('utf-16-be').hex()}>" if font != "L" else "(" + text.translate(_ESCAPES) + ")"
    placed = f"{cosine:.5f} {sine:.5f} {-sine:.5f} {cosine:.5f} {x:.2f} {y:.2f} Tm"
    return f"BT /{font} {size} Tf {more} {placed} {said} Tj ET\n".encode("cp1252")


_ESCAPES: Mapping[int, str] = {ord(sign): f"\\{sign}" for sign in "\\()"}

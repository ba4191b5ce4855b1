"""The characters of a PDF's page, read in bulk; callers hold PDFium's lock."""

from __future__ import annotations

import ctypes
import math
from collections import deque
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import pypdfium2 as pdfium
from pypdfium2 import raw

from modulo.adapters.parsing.pdf.direct_calls import direct
from modulo.adapters.parsing.pdf.geometry import HYPHEN, Bounds

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.page_rotation import PageRotation

SPACES = frozenset({0x9, 0x20, 0xA0, 0x2002, 0x2003, 0x2009, 0x202F, 0x3000})
LINE_ENDS = frozenset({0xA, 0xD})  # PDFium adds them where it sees a new line, even within one
_LINE_HYPHENS = (0x2, 0xAD, 0xFFFE)  # PDFium's marks for a hyphen at the end of a line
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_SIGNS = {  # of the symbol fonts, which have no Unicode of their own
    0xF0B7: "\u2022",
    0xF0A7: "\u25aa",
    0xF0D8: "\u27a2",
    0xF076: "\u2756",
    0xF0A8: "\u25fb",
    0xF06F: "\u25a1",
    0xF0FC: "\u2713",
    0xF0FB: "\u2717",
    0xF0FE: "\u2612",
    0xF052: "\u2612",
    0xF0E0: "\u2192",
    0xF0E8: "\u2192",
}
_SURROGATES = range(0xD800, 0xE000)
_UNKNOWN: Final = "\ufffd"
_TURNED = math.radians(3)
_MAPPED_EVERY = 11  # one of so many characters is asked whether its font names it


class _Texts(dict[int, str]):
    """The text of each code."""

    def __missing__(self, code: int) -> str:
        text = self[code] = chr(code) if code < 0x110000 else _UNKNOWN
        return text


TEXTS = _Texts({**dict.fromkeys(_LINE_HYPHENS, HYPHEN), **_LIGATURES, **_SIGNS})


_HANDLE, _INT = ctypes.c_void_p, ctypes.c_int
_code = direct(raw.FPDFText_GetUnicode, ctypes.c_uint, _HANDLE, _INT)
_box = direct(raw.FPDFText_GetLooseCharBox, _INT, _HANDLE, _INT, _HANDLE)
_angle = direct(raw.FPDFText_GetCharAngle, ctypes.c_float, _HANDLE, _INT)
_unmapped = direct(raw.FPDFText_HasUnicodeMapError, _INT, _HANDLE, _INT)
_size = direct(raw.FPDFText_GetFontSize, ctypes.c_double, _HANDLE, _INT)
_matrix = direct(raw.FPDFText_GetMatrix, _INT, _HANDLE, _INT, _HANDLE)
_origin = direct(raw.FPDFText_GetCharOrigin, _INT, _HANDLE, _INT, _HANDLE, _HANDLE)
_weight = direct(raw.FPDFText_GetFontWeight, _INT, _HANDLE, _INT)
_color = direct(raw.FPDFText_GetFillColor, _INT, _HANDLE, _INT, _HANDLE, _HANDLE, _HANDLE, _HANDLE)
_object = direct(raw.FPDFText_GetTextObject, _HANDLE, _HANDLE, _INT)
_font = direct(raw.FPDFTextObj_GetFont, _HANDLE, _HANDLE)
_font_name = direct(raw.FPDFFont_GetBaseFontName, ctypes.c_size_t, _HANDLE, _HANDLE, ctypes.c_size_t)


class Characters:
    """The characters of a page, as PDFium numbers them: `codes` and `boxes`, as the page is seen."""

    def __init__(self, page: pdfium.PdfTextPage, count: int, rotation: PageRotation) -> None:
        self._page = page  # its handle is good as long as it lives
        self._handle = ctypes.cast(page.raw, ctypes.c_void_p).value
        self._count = count
        self._rotation = rotation
        self._six = (ctypes.c_float * 6)()
        self._doubles = (ctypes.c_double * 2)()
        self._bytes = (ctypes.c_uint * 4)()
        self._name = ctypes.create_string_buffer(128)
        self._names: dict[int, str] = {}
        self.codes: Sequence[int] = self._read_codes()
        self.boxes: Sequence[Bounds] = self._read_boxes()

    def _read_codes(self) -> list[int]:
        codes: list[int] = list(map(_code, repeat(self._handle), range(self._count)))
        if codes and max(codes) >= _SURROGATES.start:
            high = 0
            for index, code in enumerate(codes):
                if code not in _SURROGATES:
                    high = 0
                elif code < 0xDC00:
                    high, codes[index] = code, 0
                else:
                    codes[index] = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else ord(_UNKNOWN)
                    high = 0
        return codes

    def _read_boxes(self) -> list[Bounds]:
        count = self._count
        floats = (ctypes.c_float * (4 * count))()
        start = ctypes.addressof(floats)
        deque(map(_box, repeat(self._handle), range(count), range(start, start + 16 * count, 16)), maxlen=0)
        found: Any = memoryview(floats).cast("B").cast("f").tolist()
        return self._rotation.boxes(list(zip(found[0::4], found[3::4], found[2::4], found[1::4], strict=True)))

    def degrees(self, index: int) -> int:
        """How far a character is turned counterclockwise on the page as it is seen; small slants are none."""
        angle = _angle(self._handle, index)
        if not _TURNED < angle < 2 * math.pi - _TURNED:
            return -self._rotation.degrees % 360
        return round(-math.degrees(angle) - self._rotation.degrees) % 360

    def origin(self, index: int) -> tuple[float, float]:
        """Where a character stands on its baseline, as the page is seen."""
        address = ctypes.addressof(self._doubles)
        _origin(self._handle, index, address, address + 8)
        across, up = self._doubles
        left, bottom, _, _ = self._rotation.boxes([(across, up, across, up)])[0]
        return left, bottom

    def size(self, index: int) -> float:
        """The size of its font in points."""
        if not _matrix(self._handle, index, ctypes.addressof(self._six)):
            return 0.0
        _, _, c, d, _, _ = self._six
        return round(float(_size(self._handle, index)) * math.hypot(c, d), 1)

    def font(self, index: int) -> str:
        """The font's name in lower case, with its weight where PDFium knows it."""
        item = _object(self._handle, index)
        font = _font(item) if item else None
        if font is None:
            return ""
        if font not in self._names:
            length = _font_name(font, ctypes.addressof(self._name), len(self._name))
            name = self._name.value.decode(errors="replace").lower() if length else ""
            weight = "bold" if _weight(self._handle, index) >= 600 else ""
            self._names[font] = f"{name} {weight}"
        return self._names[font]

    def color(self, index: int) -> str:
        """The color of its inside, four bits a channel."""
        address = ctypes.addressof(self._bytes)
        if not _color(self._handle, index, address, address + 4, address + 8, address + 12):
            return ""
        red, green, blue, _ = self._bytes
        return f"{red >> 4:x}{green >> 4:x}{blue >> 4:x}"

    def unmapped(self) -> tuple[int, int]:
        """Of how many characters the fonts do not say which they are, and how many were asked."""
        asked = range(0, self._count, _MAPPED_EVERY)
        return sum(map((1).__eq__, map(_unmapped, repeat(self._handle), asked))), len(asked)

"""Reads what stands on a PDF's page through PDFium; callers hold the lock."""

import ctypes
from collections.abc import Iterator

import pypdfium2 as pdfium
from pypdfium2 import raw

from modulo.adapters.decoding import clean
from modulo.adapters.pdf_geometry import HYPHEN, Box, Gap, Rule, Rules, Run, Sheet
from modulo.domain.errors import CorruptFile, OversizedFile

MAX_CHARACTERS = 500_000
MAX_OBJECTS = 5_000  # drawings with more parts hold no tables
MAX_SEGMENTS = 20_000
_THIN = 3.0  # points: a filled area this thin is a line
_SHORT = 6.0
_SPACES = frozenset({0x9, 0xA, 0xD, 0x20, 0xA0, 0x2002, 0x2003, 0x2009, 0x202F, 0x3000})
_LINE_HYPHENS = frozenset({0x2, 0xAD, 0xFFFE})  # PDFium's marks for a hyphen at the end of a line

_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}


def read_sheet(document: pdfium.PdfDocument, index: int) -> Sheet:
    """The page's text, lines and pictures.

    Raises:
        CorruptFile: PDFium cannot load it.
        OversizedFile: it holds more characters than any page does.
    """
    try:
        page = document[index]
        try:
            return _sheet(page, index)
        finally:
            page.close()
    except pdfium.PdfiumError as error:
        raise CorruptFile(f"Page {index + 1} is damaged: save the file again in its own program.") from error


def _sheet(page: pdfium.PdfPage, index: int) -> Sheet:
    turn = _Turn(page)
    characters = page.get_textpage()
    try:
        count = characters.count_chars()
        if count > MAX_CHARACTERS:
            raise OversizedFile(f"Page {index + 1} holds {count} characters; at most {MAX_CHARACTERS} are read.")
        runs = list(_Characters(characters, count, turn).runs())
    finally:
        characters.close()
    horizontal, vertical, pictures = _drawings(page, turn)
    return Sheet(turn.width, turn.height, runs, Rules(tuple(horizontal), tuple(vertical)), pictures)


class _Turn:
    """Turns positions as the page itself is turned."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        left, bottom, right, top = page.get_bbox()
        self._left, self._bottom = left, bottom
        self._across, self._up = right - left, top - bottom
        self._degrees = page.get_rotation()
        self._plain = not (self._degrees or left or bottom)
        sideways = self._degrees in (90, 270)
        self.width, self.height = (self._up, self._across) if sideways else (self._across, self._up)

    def box(self, box: Box) -> Box:
        """The box as it is seen."""
        if self._plain:
            return box
        left, right = box.left - self._left, box.right - self._left
        bottom, top = box.bottom - self._bottom, box.top - self._bottom
        if self._degrees == 90:
            return Box(bottom, self._across - right, top, self._across - left)
        if self._degrees == 180:
            return Box(self._across - right, self._up - top, self._across - left, self._up - bottom)
        if self._degrees == 270:
            return Box(self._up - top, left, self._up - bottom, right)
        return Box(left, bottom, right, top)


class _Characters:
    """The characters of a page, as PDFium numbers them."""

    def __init__(self, characters: pdfium.PdfTextPage, count: int, turn: _Turn) -> None:
        self._raw = characters.raw
        self._count = count
        self._turn = turn
        self._matrix = raw.FS_MATRIX()
        self._font = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()

    def runs(self) -> Iterator[Run]:
        """Characters joined until the line ends or a gap is wide."""
        run: Run | None = None
        first = last = 0
        before = 0.0  # where the character before starts
        space: Box | None = None
        for index, code, box in self._boxes():
            if code in _SPACES:
                space = box
                continue
            character = HYPHEN if code in _LINE_HYPHENS else _LIGATURES.get(code) or chr(code)
            if run is not None and _adjoins(run, before, box):
                if _is_apart(run, box, space):
                    run.text += " "
                    run.gaps.append(Gap(run.right, box.left, len(run.text)))
                run.text += character
                run.right = max(run.right, box.right)
                if box.top - box.bottom > run.height:  # behind a bullet
                    run.bottom, run.top = box.bottom, box.top
                last = index
            else:
                if run is not None:
                    yield from self._finished(run, first, last)
                run = Run(character, *box, size=0.0, bold=False, order=index)
                first = last = index
            before, space = box.left, None
        if run is not None:
            yield from self._finished(run, first, last)

    def _boxes(self) -> Iterator[tuple[int, int, Box]]:
        """Each character with its code and place; spaces that PDFium adds have no width."""
        rectangle = raw.FS_RECTF()
        high = 0
        for index in range(self._count):
            code = raw.FPDFText_GetUnicode(self._raw, index)
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if 0xDC00 <= code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
                high = 0
            if not code or not raw.FPDFText_GetLooseCharBox(self._raw, index, rectangle):
                continue
            box = self._turn.box(Box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top))
            if code in _SPACES or (box.top > box.bottom and self._is_on_page(box)):
                yield index, code, box

    def _is_on_page(self, box: Box) -> bool:
        across, up = (box.left + box.right) / 2, (box.bottom + box.top) / 2
        return bool(0 <= across <= self._turn.width and 0 <= up <= self._turn.height)

    def _finished(self, run: Run, first: int, last: int) -> Iterator[Run]:
        run.text = clean(run.text)
        if run.text.strip():
            samples = (first, (first + last) // 2, last)
            sizes = sorted(filter(None, map(self._size, samples)))
            fonts = [font for font in map(self._font_name, samples) if font]
            run.size = sizes[len(sizes) // 2] if sizes else run.height
            run.bold = bool(fonts) and all(map(_is_bold, fonts[-2:]))
            run.look = f"{fonts[-1] if fonts else ''} {self._color(last)}"
            yield run

    def _size(self, index: int) -> float:
        if not raw.FPDFText_GetMatrix(self._raw, index, self._matrix):
            return 0.0
        stretch = float((self._matrix.c**2 + self._matrix.d**2) ** 0.5)
        return round(float(raw.FPDFText_GetFontSize(self._raw, index)) * stretch, 1)

    def _font_name(self, index: int) -> str:
        """The font's name, with its weight where PDFium knows it."""
        if not raw.FPDFText_GetFontInfo(self._raw, index, self._font, len(self._font), self._flags):
            return ""
        weight = "bold" if raw.FPDFText_GetFontWeight(self._raw, index) >= 600 else ""
        return f"{self._font.value.decode(errors='replace').lower()} {weight}"

    def _color(self, index: int) -> str:
        red, green, blue, opacity = (ctypes.c_uint() for _ in range(4))
        if not raw.FPDFText_GetFillColor(self._raw, index, red, green, blue, opacity):
            return ""
        return f"{red.value >> 4:x}{green.value >> 4:x}{blue.value >> 4:x}"


def _adjoins(run: Run, before: float, box: Box) -> bool:
    """Whether a character goes on in the run's line; `before` is where the run's last character starts."""
    low, height = sorted((run.height, box.top - box.bottom))
    gap = box.left - run.right
    level = min(run.top, box.top) - max(run.bottom, box.bottom) > 0.5 * low
    # Both characters of a ligature have its box.
    return level and gap < 0.9 * height and (gap > -0.7 * height or box.left > before - 0.1)


def _is_apart(run: Run, box: Box, space: Box | None) -> bool:
    """Whether a word ends before the character; a space that was taken back is none."""
    if box.left - run.right > 0.25 * max(run.height, box.top - box.bottom):
        return True
    return space is not None and (space.right - space.left < 0.01 or box.left - space.left > 0.5)


def _is_bold(font: str) -> bool:
    return "bold" in font or "black" in font or "heavy" in font


def _drawings(page: pdfium.PdfPage, turn: _Turn) -> tuple[list[Rule], list[Rule], int]:
    """Horizontal lines, vertical lines and the number of images."""
    horizontal: list[Rule] = []
    vertical: list[Rule] = []
    pictures = segments = 0
    for number, item in enumerate(page.get_objects(max_depth=2)):
        if number >= MAX_OBJECTS or segments > MAX_SEGMENTS:
            return [], [], max(pictures, 1)
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            pictures += 1
        elif item.type == raw.FPDF_PAGEOBJ_PATH and item.level == 0:
            segments += raw.FPDFPath_CountSegments(item.raw)
            for line in map(turn.box, _lines(item)):
                if line.top - line.bottom <= _THIN and line.right - line.left >= _SHORT:
                    horizontal.append(Rule((line.bottom + line.top) / 2, line.left, line.right))
                elif line.right - line.left <= _THIN and line.top - line.bottom >= _SHORT:
                    vertical.append(Rule((line.left + line.right) / 2, line.bottom, line.top))
    return horizontal, vertical, pictures


def _lines(item: pdfium.PdfObject) -> Iterator[Box]:
    """The straight edges of a path as boxes; a thin area as one."""
    bounds = Box(*item.get_bounds())
    if bounds.right - bounds.left <= _THIN or bounds.top - bounds.bottom <= _THIN:
        yield bounds
        return
    matrix = item.get_matrix()
    across, up = ctypes.c_float(), ctypes.c_float()
    start = last = (0.0, 0.0)
    for number in range(min(raw.FPDFPath_CountSegments(item.raw), MAX_SEGMENTS)):
        segment = raw.FPDFPath_GetPathSegment(item.raw, number)
        raw.FPDFPathSegment_GetPoint(segment, across, up)
        point = matrix.on_point(across.value, up.value)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield _box(last, point)
        last = point
        if raw.FPDFPathSegment_GetClose(segment):
            yield _box(last, start)


def _box(one: tuple[float, float], other: tuple[float, float]) -> Box:
    return Box(min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1]))

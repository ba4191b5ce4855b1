"""What Tesseract says of a picture (hOCR) as a page, so that it becomes blocks as any PDF's does."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from modulo.adapters.decoding import one_line
from modulo.adapters.pdf_geometry import HYPHEN, Gap, Rule, Rules, Run, Sheet
from modulo.domain.document import Picture

_POINTS: Final = 72 / 300  # a pixel, at the sharpness that pages are drawn with
_SURE: Final = 40  # of 100, for a line to be text: stains and pictures seem to hold some, too
_ALIKE: Final = 0.2  # sizes of lines in one font are measured as far apart
_DESCENT: Final = 0.22  # of a line's size
_MOST_RULES: Final = 400
_BOX: Final = r"bbox (\d{1,5}) (\d{1,5}) (\d{1,5}) (\d{1,5})"
_NUMBER: Final = r"(-?\d{1,6}(?:\.\d{1,9})?)"
_SEPARATOR: Final = re.compile(rf"<div class='ocr_separator' [^>]{{0,99}}?{_BOX}")
_LINE: Final = re.compile(
    rf"<span class='ocr_(?:line|header|caption|textfloat)' [^>]{{0,99}}?{_BOX}(?:; baseline {_NUMBER} {_NUMBER})?"
    rf"(?:[^>]{{0,99}}?x_size {_NUMBER})?"
)
_WORD: Final = re.compile(
    rf"<span class='ocrx_word' [^>]{{0,99}}?{_BOX}; x_wconf (\d{{1,3}})[^>]{{0,99}}>(.{{0,500}})</span>"
)
_UNSPACED: Final = re.compile("[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]{2}")
"""Chinese and Japanese, in which each sign may count as a word."""
_MARKUP: Final = re.compile(r"<[^<>]{0,99}>")


@dataclass(frozen=True, slots=True)
class _Word:
    left: float
    right: float
    confidence: int
    text: str


@dataclass(slots=True)
class Line:
    """A line of text, in pixels from the upper left corner: its baseline at its left end, rising by `slope`."""

    left: float
    width: float
    height: float
    baseline: float
    slope: float
    size: float
    words: list[_Word] = field(default_factory=list)

    @property
    def characters(self) -> int:
        """How many there are."""
        return sum(len(word.text) for word in self.words)

    @property
    def sideways(self) -> bool:
        """Whether it runs up or down the page."""
        return self.characters > 2 and self.height > self.width

    @property
    def sureness(self) -> int:
        """How sure all the characters together are: 100 for each, at the most."""
        return sum(word.confidence * len(word.text) for word in self.words)


def lines_in(hocr: str) -> list[Line]:
    """The lines in reading order."""
    lines: list[Line] = []
    for said in hocr.split("\n"):
        if begins := _LINE.search(said):
            lines.append(_line(begins))
        elif lines and (found := _WORD.search(said)) and (text := one_line(html.unescape(_MARKUP.sub("", found[6])))):
            lines[-1].words.append(_Word(float(found[1]), float(found[3]), int(found[5]), text))
    return [line for line in lines if line.words]


def confidence(lines: Sequence[Line]) -> float:
    """How sure the text of some lines is, of 100; what runs up or down the page is not at all."""
    sure = sum(line.sureness for line in lines if not line.sideways)
    return sure / max(1, sum(line.characters for line in lines))


def sheet_of(hocr: str, picture: Picture) -> Sheet:
    """The page, with the lines that are surely text."""
    runs: list[Run] = []
    height = picture.height * _POINTS
    lines = [line for line in lines_in(hocr) if not line.sideways and line.sureness >= _SURE * line.characters]
    body = _body(lines)
    for line in lines:
        size = body if abs(line.size - body) <= _ALIKE * body else line.size
        runs += _runs(line, size, height, len(runs))
    return Sheet(picture.width * _POINTS, height, runs, _rules(hocr, height), 1)


def turned(picture: Picture, degrees: int) -> Picture:
    """The picture, turned clockwise by 90, 180 or 270 degrees."""
    width, height, pixels = picture.width, picture.height, picture.pixels
    if degrees == 180:
        return Picture(width, height, pixels[::-1])
    if degrees == 90:
        rows = (pixels[(height - 1) * width + column :: -width] for column in range(width))
    else:
        rows = (pixels[column::width] for column in reversed(range(width)))
    return Picture(height, width, b"".join(rows))


def _line(found: re.Match[str]) -> Line:
    left, top, right, bottom = map(float, found.groups()[:4])
    slope, offset, size = (float(said or 0) for said in found.groups()[4:])
    return Line(left, right - left, bottom - top, bottom + offset, slope, size or bottom - top)


def _body(lines: Iterable[Line]) -> float:
    """The size of the line in the midst of the text, by size; 0 where there is none."""
    sizes = sorted((line.size, line.characters) for line in lines)
    left = sum(characters for _, characters in sizes) / 2
    for size, characters in sizes:
        left -= characters
        if left <= 0:
            return size
    return 0.0


def _runs(line: Line, size: float, height: float, order: int) -> Iterator[Run]:
    """Words of a line joined until a gap is wide, in points from the lower left corner."""
    run: Run | None = None
    size *= _POINTS
    for word in line.words:
        left, right = word.left * _POINTS, word.right * _POINTS
        # Boxes overlap now and then, and some scripts run from right to left.
        if run and max(left - run.right, run.left - right) < 0.9 * size:
            space = "" if _UNSPACED.match(run.text[-1] + word.text[0]) else " "
            if space and left >= run.right:
                run.gaps.append(Gap(run.right, left, len(run.text) + 1))
            run.text += space + word.text
            run.left, run.right = min(run.left, left), max(run.right, right)
            continue
        if run:
            yield run
            order += 1
        bottom = height - (line.baseline + line.slope * (word.left - line.left)) * _POINTS - _DESCENT * size
        run = Run(word.text, left, bottom, right, bottom + size, round(size, 1), bold=False, order=order)
    if run:
        run.text = run.text[:-1] + HYPHEN if run.text.endswith("-") else run.text
        yield run


def _rules(hocr: str, height: float) -> Rules:
    """The page's lines; where there are very many, they are no table's."""
    horizontal: list[Rule] = []
    vertical: list[Rule] = []
    for found in _SEPARATOR.finditer(hocr):
        left, top, right, bottom = (int(place) * _POINTS for place in found.groups())
        if right - left > bottom - top:
            horizontal.append(Rule(height - (top + bottom) / 2, left, right))
        else:
            vertical.append(Rule((left + right) / 2, height - bottom, height - top))
    if len(horizontal) + len(vertical) > _MOST_RULES:
        return Rules()
    return Rules(tuple(horizontal), tuple(vertical))

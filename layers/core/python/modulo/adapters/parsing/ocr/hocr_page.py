"""Reads hOCR, the output of Tesseract, into the same text runs and rules as a PDF's page has."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from modulo.adapters.parsing.pdf.geometry import HYPHEN, DrawnPage, Gap, Rule, Rules, Run
from modulo.adapters.parsing.text_decoding import one_line
from modulo.domain.documents.document import Picture

_POINTS: Final = 72 / 300  # of a pixel, at the resolution that pages are rendered with
_MIN_CONFIDENCE: Final = 40  # percent, for a line to be text: stains and pictures yield lines, too
_SIZE_TOLERANCE: Final = 0.2  # lines in one font are measured as differing by so much
_DESCENT: Final = 0.22  # below the baseline, as a share of the font size
_MAX_RULES: Final = 400
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
_WITHOUT_SPACES: Final = re.compile("[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]{2}")
"""Chinese and Japanese, where Tesseract may report each character as a word."""
_MARKUP: Final = re.compile(r"<[^<>]{0,99}>")


@dataclass(frozen=True, slots=True)
class _Word:
    left: float
    right: float
    confidence: int
    text: str


@dataclass(slots=True)
class Line:
    """A line of text, in pixels from the upper left corner.

    `baseline` is the y coordinate of the baseline at the left end; it grows by `slope` with each pixel to the right.
    """

    left: float
    width: float
    height: float
    baseline: float
    slope: float
    size: float
    words: list[_Word] = field(default_factory=list)

    @property
    def characters(self) -> int:
        """The number of characters."""
        return sum(len(word.text) for word in self.words)

    @property
    def sideways(self) -> bool:
        """Whether it runs up or down the page."""
        return self.characters > 2 and self.height > self.width

    @property
    def total_confidence(self) -> int:
        """The sum of the confidence of each character, from 0 to 100 each."""
        return sum(word.confidence * len(word.text) for word in self.words)


def lines_in(hocr: str) -> list[Line]:
    """The lines of text in reading order."""
    lines: list[Line] = []
    for markup in hocr.split("\n"):
        if started := _LINE.search(markup):
            lines.append(_line(started))
        elif lines and (found := _WORD.search(markup)) and (text := one_line(html.unescape(_MARKUP.sub("", found[6])))):
            lines[-1].words.append(_Word(float(found[1]), float(found[3]), int(found[5]), text))
    return [line for line in lines if line.words]


def confidence(lines: Sequence[Line]) -> float:
    """The mean confidence of the characters in percent; lines that run up or down the page count as 0."""
    total = sum(line.total_confidence for line in lines if not line.sideways)
    return total / max(1, sum(line.characters for line in lines))


def drawn_page_from_hocr(hocr: str, picture: Picture, *, degrees: int = 0) -> DrawnPage:
    """The page, with the lines that are confidently text; its picture was rotated by so many degrees."""
    runs: list[Run] = []
    height = picture.height * _POINTS
    lines = [
        line
        for line in lines_in(hocr)
        if not line.sideways and line.total_confidence >= _MIN_CONFIDENCE * line.characters
    ]
    body = _body(lines)
    for line in lines:
        size = body if abs(line.size - body) <= _SIZE_TOLERANCE * body else line.size
        runs += _runs(line, size, height, len(runs))
    return DrawnPage(picture.width * _POINTS, height, runs, _rules(hocr, height), 1, turn=degrees // 90)


def rotate(picture: Picture, degrees: int) -> Picture:
    """The picture rotated clockwise by 90, 180 or 270 degrees."""
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
    slope, offset, size = (float(value or 0) for value in found.groups()[4:])
    return Line(left, right - left, bottom - top, bottom + offset, slope, size or bottom - top)


def _body(lines: Iterable[Line]) -> float:
    """The median font size, each line weighted by its characters; 0 where there are none."""
    sizes = sorted((line.size, line.characters) for line in lines)
    left = sum(characters for _, characters in sizes) / 2
    for size, characters in sizes:
        left -= characters
        if left <= 0:
            return size
    return 0.0


def _runs(line: Line, size: float, height: float, order: int) -> Iterator[Run]:
    """The words of a line joined up to each wide gap, in points from the lower left corner."""
    run: Run | None = None
    size *= _POINTS
    for word in line.words:
        left, right = word.left * _POINTS, word.right * _POINTS
        # Boxes may overlap, and some scripts run from right to left.
        if run and max(left - run.right, run.left - right) < 0.9 * size:
            space = "" if _WITHOUT_SPACES.match(run.text[-1] + word.text[0]) else " "
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
    """The page's horizontal and vertical lines; none where there are too many to be those of tables."""
    horizontal: list[Rule] = []
    vertical: list[Rule] = []
    for found in _SEPARATOR.finditer(hocr):
        left, top, right, bottom = (int(place) * _POINTS for place in found.groups())
        if right - left > bottom - top:
            horizontal.append(Rule(height - (top + bottom) / 2, left, right))
        else:
            vertical.append(Rule((left + right) / 2, height - bottom, height - top))
    if len(horizontal) + len(vertical) > _MAX_RULES:
        return Rules()
    return Rules(tuple(horizontal), tuple(vertical))

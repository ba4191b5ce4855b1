"""Where text stands on its page: lines of placed words, their compact form in a chunk, and the boxes of a span."""

from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pydantic import Field

from modulo.domain.model import FrozenModel

SIDE = 1_000
"""Places are counted in thousandths of the page's width and height."""
MAX_PLACES_LENGTH = 8_192
"""Of a chunk's places in their compact form: longer ones lose their words, and then all."""
_Bounds = tuple[int, int, int, int]
"""Left, top, right and bottom."""


class PageBox(FrozenModel):
    """A rectangle on a page as it is shown, in fractions of its width and height from its top left corner."""

    page: int
    x0: float = Field(ge=0, le=1, description="the left side")
    y0: float = Field(ge=0, le=1, description="the top")
    x1: float = Field(ge=0, le=1, description="the right side")
    y1: float = Field(ge=0, le=1, description="the bottom")


class PlacedLine(NamedTuple):
    """Characters that stand beside each other, from `start` in their text.

    Places are those on the page once it is turned clockwise by `turn` quarters, which makes the line upright.
    `steps` has two numbers for each word: its characters with the space behind it, and how far it reaches, up to the
    middle of that space.
    """

    start: int
    turn: int
    top: int
    bottom: int
    left: int
    steps: tuple[int, ...]

    @property
    def end(self) -> int:
        """The offset behind its last character."""
        return self.start + sum(self.steps[::2])

    def moved(self, characters: int) -> "PlacedLine":
        """The same in a text with so many characters in front."""
        return PlacedLine(self.start + characters, *self[1:])

    def within(self, start: int, end: int) -> "PlacedLine | None":
        """The words that have characters in a span, with those characters alone; None if there are none."""
        at, left = self.start, self.left
        first, steps = -1, list[int]()
        for characters, width in zip(self.steps[::2], self.steps[1::2], strict=True):
            inside = min(at + characters, end) - max(at, start)
            if inside > 0:
                if first < 0:
                    first, begin = max(at, start), left
                steps += (inside, width)
            at += characters
            left += width
        return self._replace(start=first, left=begin, steps=tuple(steps)) if steps else None

    @property
    def bounds(self) -> _Bounds:
        """The rectangle around it on the page as it is shown."""
        left, top, right, bottom = self.left, self.top, self.left + sum(self.steps[1::2]), self.bottom
        match self.turn:
            case 1:
                return top, SIDE - right, bottom, SIDE - left
            case 2:
                return SIDE - right, SIDE - bottom, SIDE - left, SIDE - top
            case 3:
                return SIDE - bottom, left, SIDE - top, right
        return left, top, right, bottom

    @property
    def _whole(self) -> "PlacedLine":
        """The line as if it were one word."""
        return self._replace(steps=(sum(self.steps[::2]), sum(self.steps[1::2])))


class PlacedText:
    """A text with its lines, in the order of their characters."""

    def __init__(self, lines: Iterable[PlacedLine]) -> None:
        self._lines: list[PlacedLine] = []
        end = 0
        for line in lines:
            if line.start >= end:
                self._lines.append(line)
                end = line.end
        self._starts = [line.start for line in self._lines]

    def places(self, start: int, end: int) -> str:
        """The places of a span's characters, counted from its start, for `boxes_of`; empty if none are known."""
        if not self._lines:
            return ""
        lines = list(self._between(start, end))
        found = _packed(lines, start)
        if len(found) > MAX_PLACES_LENGTH:
            found = _packed([line._whole for line in lines], start)  # noqa: SLF001  # of this module
        return found if len(found) <= MAX_PLACES_LENGTH else ""

    def _between(self, start: int, end: int) -> Iterator[PlacedLine]:
        for number in range(max(bisect_right(self._starts, start) - 1, 0), len(self._lines)):
            line = self._lines[number]
            if line.start >= end:
                return
            if line.start < start or line.end > end:
                cut = line.within(start, end)
                if cut is None:
                    continue
                line = cut
            yield line


def boxes_of(places: str, *, page: int, start: int, end: int) -> tuple[PageBox, ...]:
    """The boxes of a chunk's characters from `start` up to `end`, one for each stretch of a line.

    There are none where the places are not known, as of chunks of other formats or from before they were kept.
    """
    return tuple(_box(part, page) for line in _unpacked(places) if (part := line.within(start, end)))


def moved(places: str, characters: int) -> str:
    """The places of a chunk with so many characters in front, or so many less where the number is negative."""
    lines = [line.moved(characters) for line in _unpacked(places)] if characters else None
    if lines is None:
        return places
    return _packed([part for line in lines if (part := line.within(0, line.end))], 0)


def _box(line: PlacedLine, page: int) -> PageBox:
    x0, y0, x1, y1 = (min(max(side, 0), SIDE) / SIDE for side in line.bounds)
    return PageBox(page=page, x0=x0, y0=y0, x1=x1, y1=y1)


def _packed(lines: Sequence[PlacedLine], at: int) -> str:
    """Numbers of seven bits a byte, most of them one byte: of each line what differs from the one before it.

    Offsets are counted from `at`.
    """
    numbers: list[int] = []
    above = 0
    for start, turn, top, bottom, left, steps in lines:
        down = top - above
        numbers += (
            (start - at) << 2 | turn,
            down << 1 if down >= 0 else (-down << 1) - 1,
            bottom - top,
            left,
            len(steps) // 2,
            *steps,
        )
        at, above = start + sum(steps[::2]), top
    packed = bytearray()
    for number in numbers:
        rest = number
        while rest > 0x7F:
            packed.append(rest & 0x7F | 0x80)
            rest >>= 7
        packed.append(rest)
    return b64encode(packed).decode()


def _unpacked(places: str) -> Iterator[PlacedLine]:
    numbers = _numbers(b64decode(places))
    at = top = 0
    for first in numbers:
        down, height, left, count = next(numbers), next(numbers), next(numbers), next(numbers)
        top += -(down + 1 >> 1) if down & 1 else down >> 1
        steps = tuple(next(numbers) for _ in range(2 * count))
        line = PlacedLine(at + (first >> 2), first & 3, top, top + height, left, steps)
        at = line.end
        yield line


def _numbers(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0

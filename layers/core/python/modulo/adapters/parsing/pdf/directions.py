"""Text of a PDF's page by the direction in which it is read: upright, turned, down the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from modulo.adapters.parsing.pdf.characters import LINE_ENDS, SPACES, Characters
from modulo.adapters.parsing.pdf.page_rotation import turned
from modulo.adapters.parsing.pdf.right_to_left import is_right_to_left, logical
from modulo.adapters.parsing.pdf.runs import Draft, drafts_of

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.geometry import Bounds, Glyph

DOWN = 270
"""The direction of lines that go down the page: as far as they are turned counterclockwise."""
_STEP = 3  # degrees that count as one direction
_WIDE = ((0x2E80, 0xA4CF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF))
_FEWEST_DOWN = 3
_DESCENT, _HEIGHT, _USUAL_WIDTH = 0.22, 1.0, 0.55  # of the size: of text at an angle only the origins are exact


@dataclass(frozen=True, slots=True)
class Frame:
    """Text of one direction on a page that is turned until it is upright."""

    degrees: int
    drafts: list[Draft]
    width: float
    height: float
    mirrored: bool = False
    """Whether left and right were exchanged, as its lines go from right to left."""
    by_word: bool = True
    """Whether words stand where they were found: those read against their line were moved within it."""

    @property
    def turn(self) -> int | None:
        """By how many quarters the page was turned, clockwise; None at another angle."""
        return None if self.degrees % 90 else self.degrees // 90

    @property
    def characters(self) -> int:
        """How many it has."""
        return sum(len(draft.text) for draft in self.drafts)


def frames_of(characters: Characters, width: float, height: float) -> list[Frame]:
    """The page's text, that of each direction in its own frame; the one with most of it comes first."""
    codes, boxes = characters.codes, characters.boxes
    distinct = set(codes)
    elsewhere: dict[int, list[int]] = {}
    glyphs: Iterable[Glyph] = zip(range(len(codes)), codes, boxes, strict=True)
    if any(map(_is_wide, distinct)) and (down := _down(codes, boxes)):
        elsewhere[DOWN] = down
        left_out = frozenset(down)
        glyphs = [glyph for glyph in glyphs if glyph[0] not in left_out]

    def is_turned(index: int) -> bool:
        if degrees := characters.degrees(index):
            elsewhere.setdefault(_snapped(degrees), []).append(index)
        return degrees > 0

    def measure(index: int) -> tuple[float, float]:
        return characters.size(index), characters.origin(index)[1]

    mirrored, by_word = False, True
    if any(map(is_right_to_left, distinct)):
        by_word = False
        glyphs = [glyph for glyph in glyphs if glyph[1] in LINE_ENDS or not is_turned(glyph[0])]
        ordered, mirrored = logical(list(glyphs), width)
        drafts = list(drafts_of(ordered, measure))
    else:
        drafts = list(drafts_of(glyphs, measure, is_turned))
    frames = [Frame(0, _in_rows(drafts) if mirrored else drafts, width, height, mirrored, by_word)]
    for degrees, indexes in elsewhere.items():
        frames.append(_turned_frame(characters, degrees, indexes, width, height))
    return sorted(frames, key=lambda frame: -frame.characters)


def _turned_frame(characters: Characters, degrees: int, indexes: Sequence[int], width: float, height: float) -> Frame:
    if degrees % 90:
        glyphs = _upright(characters, degrees, indexes)
    else:
        glyphs = [
            (index, characters.codes[index], turned(characters.boxes[index], degrees, width, height))
            for index in indexes
        ]
    if degrees == DOWN:
        glyphs = [(index, code, _narrow(box) if _is_wide(code) else box) for index, code, box in glyphs]
    seen_width, seen_height = width, height
    if degrees in (90, 270):
        width, height = height, width

    def measure(index: int) -> tuple[float, float]:
        across, up = characters.origin(index)
        if degrees % 90:
            turn = math.radians(degrees)
            return characters.size(index), up * math.cos(turn) - across * math.sin(turn)
        return characters.size(index), turned((across, up, across, up), degrees, seen_width, seen_height)[1]

    mirrored, by_word = False, True
    if any(is_right_to_left(code) for _, code, _ in glyphs):
        by_word = False
        glyphs, mirrored = logical(glyphs, width)
    drafts = list(drafts_of(glyphs, measure))
    drafts = _in_rows(drafts) if degrees == DOWN or mirrored else drafts
    return Frame(degrees, drafts, width, height, mirrored, by_word)


def _is_wide(code: int) -> bool:
    """Whether a character belongs to Chinese, Japanese or Korean."""
    return any(first <= code <= last for first, last in _WIDE)


def _snapped(degrees: int) -> int:
    """The direction, with those that hardly differ as one."""
    nearest = round(degrees / 90) * 90
    return (nearest if abs(degrees - nearest) < _STEP else round(degrees / _STEP) * _STEP) % 360


def _down(codes: Sequence[int], boxes: Sequence[Bounds]) -> list[int]:
    """The characters of lines that go down the page, as in Chinese and Japanese."""
    found: list[int] = []
    chain: list[int] = []
    for index, code in enumerate(codes):
        if code in LINE_ENDS or code in SPACES:
            continue
        if chain and not _is_below(boxes[index], boxes[chain[-1]]):
            found += _if_wide(chain, codes)
            chain = []
        chain.append(index)
    return found + _if_wide(chain, codes)


def _is_below(box: Bounds, above: Bounds) -> bool:
    height = min(box[3] - box[1], above[3] - above[1])
    beside = abs(box[0] + box[2] - above[0] - above[2]) / 2
    return beside < 0.3 * height and -0.2 * height < above[1] - box[3] < 0.35 * height


def _if_wide(indexes: list[int], codes: Sequence[int]) -> list[int]:
    wide = sum(_is_wide(codes[index]) for index in indexes)
    return indexes if len(indexes) >= _FEWEST_DOWN and wide * 2 > len(indexes) else []


def _narrow(box: Bounds) -> Bounds:
    """The place of a sign that is as high as it is wide: some fonts say that it is wider."""
    left, bottom, right, top = box
    middle, half = (bottom + top) / 2, (right - left) / 2
    return left, max(bottom, middle - half), right, min(top, middle + half)


def _in_rows(drafts: list[Draft]) -> list[Draft]:
    """The runs in order, but those that follow each other in one line from left to right, and lines from the top."""
    rows: list[list[Draft]] = []
    for draft in drafts:
        if rows and _same_line(rows[-1][-1], draft):
            rows[-1].append(draft)
        else:
            rows.append([draft])
    for row in rows:
        row.sort(key=lambda draft: draft.left)
    ordered = list(chain.from_iterable(_from_top(rows)))
    for draft, place in zip(ordered, sorted(draft.place for draft in drafts), strict=True):
        draft.order = place
    return ordered


def _from_top(rows: list[list[Draft]]) -> Iterator[list[Draft]]:
    """Lines that follow each other at the same left end from the bottom up are turned around."""
    block: list[list[Draft]] = []
    for row in rows:
        if block and abs(row[0].left - block[-1][0].left) > row[0].top - row[0].bottom:
            yield from sorted(block, key=lambda one: -one[0].top)
            block = []
        block.append(row)
    yield from sorted(block, key=lambda one: -one[0].top)


def _same_line(one: Draft, other: Draft) -> bool:
    shared = min(one.top, other.top) - max(one.bottom, other.bottom)
    return shared > 0.5 * min(one.top - one.bottom, other.top - other.bottom)


def _upright(characters: Characters, degrees: int, indexes: Sequence[int]) -> list[Glyph]:
    """Characters at an angle, on a page that is turned back; their widths are guessed from where the next one is."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def place(index: int) -> tuple[float, float]:
        across, up = characters.origin(index)
        return across * cosine + up * sine, up * cosine - across * sine

    places = [(*place(index), characters.size(index) or 1.0) for index in indexes]
    lowest = min(up - _DESCENT * size for _, up, size in places)
    leftmost = min(across for across, _, _ in places)
    glyphs: list[Glyph] = []
    for index, (across, up, size) in zip(indexes, places, strict=True):
        width = _USUAL_WIDTH * size
        if index + 1 < len(characters.codes) and characters.codes[index + 1] not in LINE_ENDS:
            following, level = place(index + 1)  # a space has a place of its own
            if 0 < following - across < 1.2 * size and abs(level - up) < 0.2 * size:
                width = following - across
        left, bottom = across - leftmost, up - lowest - _DESCENT * size
        glyphs.append((index, characters.codes[index], (left, bottom, left + width, bottom + _HEIGHT * size)))
    return glyphs

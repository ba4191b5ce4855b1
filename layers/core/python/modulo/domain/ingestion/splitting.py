"""Splitting of texts and tables into segments that fit into a chunk."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from modulo.domain.text.sentences import sentences
from modulo.domain.text.table_rows import ends_group, names_group
from modulo.domain.text.tokens import WEIGHT_PER_TOKEN, Rate, weigh

_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")
_WINDOW = 20_000  # characters looked at together for the ends of sentences


class Segment(NamedTuple):
    """A span of a page's text; `closes` at the end of a sentence or line, `apart` if it continues within a word."""

    start: int
    end: int
    weight: int
    closes: bool = True
    apart: bool = False


class TableSegment(NamedTuple):
    """The rows of one chunk; `continued` says that `text` repeats before them the header and what names their group."""

    start: int
    end: int
    text: str
    continued: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """Weighs text in tenths of a token.

    A character weighs at least a tenth, so that white space, which is no token, cannot make a
    chunk longer than a store's field.
    """

    rate: Rate

    def weight(self, text: str) -> int:
        """The text's weight; parts split between words weigh no less than the whole."""
        return max(weigh(text, self.rate), len(text))


def split_text(text: str, start: int, end: int, *, room: int, scale: Scale) -> Iterator[Segment]:
    """The sentences between two offsets, each split further if it weighs more than `room`."""
    for first, last in _windows(text, start, end):
        at = first
        spans = [(first + sentence.start, first + sentence.end) for sentence in sentences(text[first:last])]
        for begin, stop in spans:
            # What belongs to no sentence, such as a rule between rows, goes with the next one.
            yield from split_to_fit(text, begin if text[at:begin].isspace() else at, stop, room=room, scale=scale)
            at = stop
        yield from split_to_fit(text, at, last, room=room, scale=scale)


def split_to_fit(text: str, start: int, end: int, *, room: int, scale: Scale) -> Iterator[Segment]:
    """A span without surrounding white space, split into lines, words or characters if it weighs more than `room`."""
    found = text[start:end]
    start += len(found) - len(found.lstrip())
    end = start + len(found.strip())
    if start >= end:
        return
    weight = scale.weight(text[start:end])
    if weight <= room:
        yield Segment(start, end, weight)
    elif text.find("\n", start, end) >= 0:
        for line in _LINE.finditer(text, start, end):
            yield from split_to_fit(text, line.start(), line.end(), room=room, scale=scale)
    else:
        yield from _words(text, start, end, room, scale)


def _windows(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Bounded spans that end at the end of a line or of a word where there is one."""
    while end - start > _WINDOW:
        far = start + _WINDOW
        near = far - _WINDOW // 4
        at = max(text.rfind("\n", near, far), -1)
        at = at if at >= 0 else text.rfind(" ", near, far)
        stop = at + 1 if at >= 0 else far
        yield start, stop
        start = stop
    yield start, end


def _words(text: str, start: int, end: int, room: int, scale: Scale) -> Iterator[Segment]:
    """As many words at a time as fit."""
    first, last, weight = start, start, 0
    for word in _WORD.finditer(text, start, end):
        extra = scale.weight(word.group())
        if weight and weight + extra + (word.start() - last) > room:
            yield Segment(first, last, weight, closes=False)
            first, weight = word.start(), 0
        if extra > room:
            yield from _letters(text, word.start(), word.end(), room, scale)
            first, last = word.end(), word.end()
            continue
        if not weight:
            first, last = word.start(), word.start()
        weight += extra + (word.start() - last)
        last = word.end()
    if weight:
        yield Segment(first, last, weight)


def _letters(text: str, start: int, end: int, room: int, scale: Scale) -> Iterator[Segment]:
    """A word in halves, quarters and so on, until they fit."""
    waiting = [(start, end)]
    while waiting:
        first, last = waiting.pop()
        weight = scale.weight(text[first:last])
        if weight <= room or last - first == 1:
            yield Segment(first, last, weight, closes=False, apart=first > start)
        else:
            middle = (first + last) // 2
            waiting += [(middle, last), (first, middle)]


def split_table(
    text: str, start: int, end: int, *, caption: int, note: int, room: int, scale: Scale, header_rows: int = 1
) -> Iterator[TableSegment]:
    """A table whole if it fits, else runs of its rows, each below the header rows, or the first one if they are long.

    Where a run begins within a group of rows, the row that names the group is repeated, too. `caption` is where the
    line above the table that names it starts, `note` where the one below ends; they equal `start` and `end` where
    there is none. Continued runs leave room for the caption in their heading.
    """
    whole = text[caption:note]
    if scale.weight(whole) <= room:
        yield TableSegment(caption, note, whole, continued=False)
        return
    rows = [line.span() for line in _LINE.finditer(text, start, end) if not line.group().isspace()]
    named = scale.weight(text[caption:start]) + WEIGHT_PER_TOKEN + 3 if caption < start else 0  # with " > " before it
    headers = min(header_rows, len(rows) - 1)
    if headers > 1 and 2 * (scale.weight(text[rows[0][0] : rows[headers - 1][1]]) + 1 + named) <= room:
        rows[:headers] = [(rows[0][0], rows[headers - 1][1])]
    header, headed = text[slice(*rows[0])], rows[0][1]
    head = scale.weight(header) + 1
    repeats = len(rows) > 1 and 2 * (head + named) <= room
    if repeats:
        rows = rows[1:]
    groups = _RowGroups(text, rows if repeats else [], most=room // 8, scale=scale)
    if note > end:
        rows.append((end, note))
    left = room - named - (head if repeats else 0) - groups.weight
    pieces = [piece for row in rows for piece in split_to_fit(text, *row, room=left - 1, scale=scale)]
    continued = False
    for run in _balanced(pieces, left):
        first, last = run[0].start, run[-1].end
        if not continued:
            begun = repeats and scale.weight(text[caption:last]) > room  # white space parts the header from the row
            until = headed if begun else last
            yield TableSegment(caption, until, text[caption:until], continued=False)
            continued = True
            if not begun:
                continue
        rest = text[first:last]
        above = "\n".join(filter(None, (header, groups.above(first))))
        yield TableSegment(first, last, f"{above}\n{rest}" if repeats else rest, continued=True)


class _RowGroups:
    """Which row names the group that each of a table's rows is of; one heavier than `most` is not repeated."""

    def __init__(self, text: str, rows: Sequence[tuple[int, int]], *, most: int, scale: Scale) -> None:
        self._starts = [start for start, _ in rows]
        self._names: list[str] = []
        self.weight = 0
        """What a chunk keeps free for the name."""
        group = ""
        for start, end in rows:
            row = text[start:end].strip()
            named = names_group(row)
            self._names.append("" if named else group)
            if named:
                weight = scale.weight(row) + 1
                group = row if weight <= most else ""
                self.weight = max(self.weight, weight if group else 0)
            elif ends_group(row):
                group = ""

    def above(self, start: int) -> str:
        """The name of the group of the row that begins there, or goes on there; nothing where it is in none."""
        at = bisect_right(self._starts, start) - 1
        return self._names[at] if at >= 0 else ""


def _balanced(pieces: list[Segment], room: int) -> Iterator[list[Segment]]:
    """Groups of about equal weight, none heavier than `room`."""
    total = sum(piece.weight + 1 for piece in pieces)
    target = -(-total // -(-total // room))
    group: list[Segment] = []
    weight = 0
    for piece in pieces:
        added = max(piece.weight, piece.end - group[-1].end) + 1 if group else 0
        if group and (weight >= target or weight + added > room or piece.apart):
            yield group
            group, weight = [], 0
        weight += added if group else piece.weight + 1
        group.append(piece)
    yield group

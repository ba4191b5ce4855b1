"""Text and tables cut into pieces that fit into a chunk."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from modulo.domain.sentences import sentences
from modulo.domain.tokens import ONE, Rate, weigh

_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")
_WINDOW = 20_000  # characters looked at together for the ends of sentences


class Piece(NamedTuple):
    """A stretch of a page's text: `closes` at the end of a sentence or line, `apart` if it goes on within a word."""

    start: int
    end: int
    weight: int
    closes: bool = True
    apart: bool = False


class TablePiece(NamedTuple):
    """Rows that make a chunk; `continued` says that `text` repeats the header row before them."""

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
        """The text's weight; cut between words, the parts weigh no less than the whole."""
        return max(weigh(text, self.rate), len(text))


def cut_text(text: str, start: int, end: int, *, room: int, scale: Scale) -> Iterator[Piece]:
    """The sentences between two places, each cut further if it weighs more than `room`."""
    for first, last in _windows(text, start, end):
        at = first
        spans = [(first + sentence.start, first + sentence.end) for sentence in sentences(text[first:last])]
        for begin, stop in spans:
            # What belongs to no sentence, such as a rule between rows, goes with the next one.
            yield from fit(text, begin if text[at:begin].isspace() else at, stop, room=room, scale=scale)
            at = stop
        yield from fit(text, at, last, room=room, scale=scale)


def fit(text: str, start: int, end: int, *, room: int, scale: Scale) -> Iterator[Piece]:
    """A stretch without the white space around it; lines, words or characters of it if it weighs more than `room`."""
    found = text[start:end]
    start += len(found) - len(found.lstrip())
    end = start + len(found.strip())
    if start >= end:
        return
    weight = scale.weight(text[start:end])
    if weight <= room:
        yield Piece(start, end, weight)
    elif text.find("\n", start, end) >= 0:
        for line in _LINE.finditer(text, start, end):
            yield from fit(text, line.start(), line.end(), room=room, scale=scale)
    else:
        yield from _words(text, start, end, room, scale)


def _windows(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Bounded stretches that end at the end of a line or of a word where there is one."""
    while end - start > _WINDOW:
        far = start + _WINDOW
        near = far - _WINDOW // 4
        at = max(text.rfind("\n", near, far), -1)
        at = at if at >= 0 else text.rfind(" ", near, far)
        stop = at + 1 if at >= 0 else far
        yield start, stop
        start = stop
    yield start, end


def _words(text: str, start: int, end: int, room: int, scale: Scale) -> Iterator[Piece]:
    """Words together as far as they fit."""
    first, last, weight = start, start, 0
    for word in _WORD.finditer(text, start, end):
        extra = scale.weight(word.group())
        if weight and weight + extra + (word.start() - last) > room:
            yield Piece(first, last, weight, closes=False)
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
        yield Piece(first, last, weight)


def _letters(text: str, start: int, end: int, room: int, scale: Scale) -> Iterator[Piece]:
    """A word in halves, quarters and so on."""
    waiting = [(start, end)]
    while waiting:
        first, last = waiting.pop()
        weight = scale.weight(text[first:last])
        if weight <= room or last - first == 1:
            yield Piece(first, last, weight, closes=False, apart=first > start)
        else:
            middle = (first + last) // 2
            waiting += [(middle, last), (first, middle)]


def cut_table(
    text: str, start: int, end: int, *, caption: int, note: int, room: int, scale: Scale
) -> Iterator[TablePiece]:
    """A table whole if it fits, else groups of its rows, each with the header row.

    `caption` is where the line above the table that names it starts, `note` where the one below
    ends; they equal `start` and `end` where there is none. Continued groups leave room for the
    caption in their heading.
    """
    whole = text[caption:note]
    if scale.weight(whole) <= room:
        yield TablePiece(caption, note, whole, continued=False)
        return
    rows = [line.span() for line in _LINE.finditer(text, start, end) if not line.group().isspace()]
    header, headed = text[slice(*rows[0])], rows[0][1]
    named = scale.weight(text[caption:start]) + ONE + 3 if caption < start else 0  # with " > " before it
    head = scale.weight(header) + 1
    repeats = len(rows) > 1 and 2 * (head + named) <= room
    if repeats:
        rows = rows[1:]
    if note > end:
        rows.append((end, note))
    left = room - named - (head if repeats else 0)
    pieces = [piece for row in rows for piece in fit(text, *row, room=left - 1, scale=scale)]
    continued = False
    for group in _balanced(pieces, left):
        first, last = group[0].start, group[-1].end
        if not continued:
            begun = repeats and scale.weight(text[caption:last]) > room  # white space parts the header from the row
            until = headed if begun else last
            yield TablePiece(caption, until, text[caption:until], continued=False)
            continued = True
            if not begun:
                continue
        rest = text[first:last]
        yield TablePiece(first, last, f"{header}\n{rest}" if repeats else rest, continued=True)


def _balanced(pieces: list[Piece], room: int) -> Iterator[list[Piece]]:
    """Groups of about equal weight, none heavier than `room`."""
    total = sum(piece.weight + 1 for piece in pieces)
    target = -(-total // -(-total // room))
    group: list[Piece] = []
    weight = 0
    for piece in pieces:
        added = max(piece.weight, piece.end - group[-1].end) + 1 if group else 0
        if group and (weight >= target or weight + added > room or piece.apart):
            yield group
            group, weight = [], 0
        weight += added if group else piece.weight + 1
        group.append(piece)
    yield group

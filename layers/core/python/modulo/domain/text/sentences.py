"""Splitting of text into sentences, list items and table rows, with their offsets."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from modulo.domain.text.abbreviations import (
    ANYWHERE,
    BEFORE_NAMES,
    BEFORE_NUMBERS,
    BEFORE_ORDINALS,
    MONTHS,
    ORDERED,
    STARTERS,
)
from modulo.domain.text.table_rows import CELL, is_row

MAX_CHARACTERS = 500
"""Longest sentence; longer text without a sentence end is split between words."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` is `source[start:end]` with its white space made single; a table row carries its header row."""

    text: str
    start: int
    end: int
    header: str = ""

    @property
    def spelled_out(self) -> str:
        """The text; of a table row, each cell with the name of its column, which models understand better."""
        columns, cells = self.header.split(CELL), self.text.split(CELL)
        if not self.header or len(columns) != len(cells):
            return f"{self.header}\n{self.text}".strip()
        return "; ".join(f"{column}: {cell}" for column, cell in zip(columns, cells, strict=True))


Span = tuple[int, int]

_BULLETS = "-*+\u2022\u25e6\u25aa\u2023\u00b7\u2013\u2014"
_OPENING = "\"'\u201c\u2018\u201e\u201a\u00ab\u00bb\u2039\u203a(\\[\u00bf\u00a1\u300c\u300e"
_CLOSING = "\"'\u201d\u2019\u201c\u2018\u00bb\u00ab\u203a\u2039)\\]"
_PLAIN_STOPS = (
    "\u061f\u06d4\u0964\u0965\u0589\u1362\u17d4\u104b"  # of Arabic, Urdu, Hindi, Armenian, Amharic, Khmer, Burmese
)
_STOPS = rf".!?\u2026{_PLAIN_STOPS}"
_WIDE_STOPS = "\u3002\uff01\uff1f\uff61"  # East Asia writes no white space behind them
_WIDE_CLOSING = "\u300d\u300f\u201d\u2019\uff09"
_QUOTATIVE = "\u3068\u3063\uff0c\u3001,\uff1b;"  # behind a quotation, these go on with the sentence around it

_LINE = re.compile(r"[^\n\r\f\v\x85\u2028\u2029]+")
_ITEM = re.compile(rf"\s*(?:[{_BULLETS}]|\(?(?:\d{{1,3}}|[a-zA-Z]|[ivxIVX]{{1,5}})[.)])\s")
_HEADING = re.compile(r"\s*#{1,6}\s")
_RULE = re.compile(r"[\s|:\-=_*+]+")
_STOP = re.compile(rf"(?<![{_STOPS}])[{_STOPS}]++[{_CLOSING}]*+(?=\s)|[{_WIDE_STOPS}]+[{_WIDE_CLOSING}]*")
_FOLLOWING = re.compile(rf"\s*[{_OPENING}]*(\S{{1,40}})")
_LETTER = r"(?:[^\W\d_]|[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e])"  # Thai writes vowels as marks
_INITIALS = re.compile(rf"(?:{_LETTER}{{1,3}}\.)+{_LETTER}{{1,3}}|[^\W\d_]")
_SHORTENED = re.compile(rf"[{_OPENING}]*[^\W\d_]\.")
_DAY = re.compile(r"\d{1,2}\.(?:\d{2,4})?\W{0,3}")
_YEAR = re.compile(r"\d{4}\W{0,3}")
_DAY_AND_MONTH = re.compile(r"(?:^|\s)\d{1,2}\.\s?\d{1,2}$")
_NUMBER = re.compile(r"[\d(\u00a7]|[IVXLC]{1,6}\W{0,3}$")
_PUNCTUATION = ",;:.!?)\u201d\u2019"
_SPACE = re.compile(r"\s*")


_LONG = 40  # more of what stands before a mark is not looked at


def sentences(text: str) -> list[Sentence]:
    """The sentences in order; they omit only white space and the ruling lines of tables."""
    return [sentence for block in _blocks(text) for sentence in _of_block(text, block)]


def _blocks(text: str) -> Iterator[list[Span]]:
    """Runs of lines between blank ones."""
    block: list[Span] = []
    for match in _LINE.finditer(text):
        # One line end, or a carriage return with it, is within a block; more is a blank line.
        if block and text[block[-1][1] : match.start()].replace("\r\n", "\n").count("\n") > 1:
            yield block
            block = []
        if match.group().strip():
            block.append(match.span())
        elif block:
            yield block
            block = []
    if block:
        yield block


def _of_block(text: str, block: list[Span]) -> Iterator[Sentence]:
    """The rows of a table, with the first as header; other lines as paragraphs."""
    header: str | None = None
    lines: list[Span] = []
    for start, end in block:
        line = text[start:end]
        if not is_row(line) and not (header is not None and _RULE.fullmatch(line)):
            header = None
            lines.append((start, end))
            continue
        yield from _of_lines(text, lines)
        lines = []
        row = _sentence(text, start, end, header or "")
        if header is None:
            header = row.text
        if not _RULE.fullmatch(line):
            yield row
    yield from _of_lines(text, lines)


def _of_lines(text: str, lines: list[Span]) -> Iterator[Sentence]:
    """Lines joined to paragraphs, which are split at the ends of sentences."""
    if not lines:
        return
    width = max(end - start for start, end in lines)
    start = lines[0][0]
    for this, following in pairwise(lines):
        if _breaks(text[slice(*this)], text[slice(*following)], width):
            yield from _of_paragraph(text, start, this[1])
            start = following[0]
    yield from _of_paragraph(text, start, lines[-1][1])


def _breaks(line: str, following: str, width: int) -> bool:
    """Whether a line's end is a paragraph's end: before a list item, after a heading, or after a short line."""
    if _ITEM.match(following) or _HEADING.match(following) or _HEADING.match(line):
        return True
    short = len(line.strip()) < width * 0.6
    return short and following.lstrip()[:1].isupper()


def _of_paragraph(text: str, start: int, end: int) -> Iterator[Sentence]:
    for stop in _STOP.finditer(text, start, end):
        following = _FOLLOWING.match(text, stop.end(), end)
        if following and _ends(text[max(start, stop.start() - _LONG) : stop.start()], stop.group(), following):
            yield from _cut(text, start, stop.end())
            start = stop.end()
    yield from _cut(text, start, end)


def _ends(before: str, stop: str, behind: re.Match[str]) -> bool:
    """Whether a stop ends the sentence before it, rather than an abbreviation, an initial or a number."""
    following: str = behind.group(1)
    if stop[0] in _WIDE_STOPS:
        quotation = stop[-1] in _WIDE_CLOSING and behind.start(1) == behind.start()
        return not (quotation and following[0] in _QUOTATIVE)
    if following[0].islower():
        return False
    words = before.split()
    if stop[0] != "." or not words or before[-1].isspace():
        return bool(words)
    if words[-1].isdigit():
        return _ends_behind_number(before, words, following)
    word = words[-1].lstrip(_OPENING)
    is_initial = len(word) <= 2 and len(words) > 1 and bool(_SHORTENED.fullmatch(words[-2]))  # p. ex.
    return _ends_behind_word(word, following, is_initial=is_initial)


def _ends_behind_word(word: str, following: str, *, is_initial: bool) -> bool:
    """Whether a full stop behind a word ends a sentence."""
    lower = word.lower()
    if lower in BEFORE_NAMES:
        return False
    if (lower in BEFORE_NUMBERS or lower.endswith("str")) and _NUMBER.match(following):
        return False
    doubled = len(word) == 2 and word.isupper() and word[0] == word[1]  # EE. UU.
    if doubled or is_initial or lower in ANYWHERE or (_INITIALS.fullmatch(lower) and lower != "i"):
        return following.lower().rstrip(_PUNCTUATION) in STARTERS  # a full stop behind it makes it an initial too
    return True


def _ends_behind_number(before: str, words: list[str], following: str) -> bool:
    """Whether a full stop behind a number ends a sentence, rather than being part of a date, an ordinal or an item."""
    number, next_word = words[-1], following.lower().rstrip(_PUNCTUATION)
    if len(words) == 1:
        return False  # "3. Results" is one item
    if len(number) > 3:
        return True
    if next_word in MONTHS or next_word in ORDERED or _DAY.fullmatch(following):
        return False
    if _DAY_AND_MONTH.search(before) and _YEAR.fullmatch(following):
        return False
    return words[-2].lower().lstrip(_OPENING) not in BEFORE_ORDINALS or next_word in STARTERS


def _cut(text: str, start: int, end: int) -> Iterator[Sentence]:
    """One sentence, or several where it is longer than `MAX_CHARACTERS`."""
    start, end = _trimmed(text, start, end)
    while end - start > MAX_CHARACTERS:
        at = max(text.rfind(mark, start + MAX_CHARACTERS // 2, start + MAX_CHARACTERS) for mark in (" ", "\n", "\t"))
        at = at if at > start else _between_letters(text, start, start + MAX_CHARACTERS)
        yield _sentence(text, start, at)
        # Only what was cut off is looked at again, so that a text without end takes no more than its length.
        start = _SPACE.match(text, at, end).end()  # type: ignore[union-attr]  # nothing is a match too
    if start < end:
        yield _sentence(text, start, end)


def _between_letters(text: str, start: int, at: int) -> int:
    """The place to cut a run without white space, such as Thai: not between a letter and the marks on it."""
    first = at
    while at > start + MAX_CHARACTERS // 2 and unicodedata.category(text[at])[0] == "M":
        at -= 1
    return at if at > start + MAX_CHARACTERS // 2 else first


def _sentence(text: str, start: int, end: int, header: str = "") -> Sentence:
    return Sentence(" ".join(text[start:end].split()), *_trimmed(text, start, end), header)


def _trimmed(text: str, start: int, end: int) -> Span:
    """The same span without white space around it."""
    found = text[start:end]
    return start + len(found) - len(found.lstrip()), end - len(found) + len(found.rstrip())

"""Text into sentences: paragraphs, list items and table rows, with their places in the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

MAX_CHARACTERS = 500
"""Longer runs without an end of sentence are cut between words."""
CELL = " | "


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` is `source[start:end]` with its white space made single; a table row carries its header row."""

    text: str
    start: int
    end: int
    header: str = ""

    @property
    def spelled_out(self) -> str:
        """The text; of a row, each cell behind its column's name, which models read far better."""
        columns, cells = self.header.split(CELL), self.text.split(CELL)
        if not self.header or len(columns) != len(cells):
            return f"{self.header}\n{self.text}".strip()
        return "; ".join(f"{column}: {cell}" for column, cell in zip(columns, cells, strict=True))


Span = tuple[int, int]

_BULLETS = "-*+\u2022\u25e6\u25aa\u2023\u00b7\u2013\u2014"
_OPENING = "\"'\u201c\u2018\u00ab(\\[\u00bf\u00a1"
_CLOSING = "\"'\u201d\u2019\u00bb)\\]"
_WIDE_STOPS = "\u3002\uff01\uff1f"  # East Asia writes no white space behind them
_WIDE_CLOSING = "\u300d\u300f\u201d\uff09"

_LINE = re.compile(r"[^\n\r\f\v\x85\u2028\u2029]+")
_ITEM = re.compile(rf"\s*(?:[{_BULLETS}]|\(?(?:\d{{1,3}}|[a-zA-Z]|[ivxIVX]{{1,5}})[.)])\s")
_HEADING = re.compile(r"\s*#{1,6}\s")
_RULE = re.compile(r"[\s|:\-=_*+]+")
_STOP = re.compile(rf"(?<![.!?\u2026])[.!?\u2026]++[{_CLOSING}]*+(?=\s)|[{_WIDE_STOPS}]+[{_WIDE_CLOSING}]*")
_FOLLOWING = re.compile(rf"\s*[{_OPENING}]*(\S{{1,40}})")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_SPACE = re.compile(r"\s*")


_LONG = 40  # more of what stands before a mark is not looked at


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BEFORE_NAMES = _words(
    "mr mrs ms dr prof st sr jr rev hon gen col maj capt lt sgt cmdr adm gov sen rep pres mt ft cf vs viz approx ca "
    "resp incl excl eds"
)
_BEFORE_NUMBERS = _words(
    "no nos nr pp fig figs eq eqs sec ch chap vol tab ref refs art para ed jan feb mar apr jun jul aug sep sept oct "
    "nov dec"
)
_ANYWHERE = _words("etc al inc ltd co corp bros dept univ assn ave blvd rd ph.d")
_STARTERS = _words(
    "a an the this that these those it its he she they we you i his her their our there here in on at by for from with "
    "after before during since while when where what who why how if although though because however moreover "
    "therefore thus then also but and or so yet as no not all both each every some many most one two"
)


def sentences(text: str) -> list[Sentence]:
    """The sentences in order; only white space and the rules that frame a table's rows belong to none."""
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
    """A table's rows each by itself, with the first as header; other lines as paragraphs."""
    header: str | None = None
    lines: list[Span] = []
    for start, end in block:
        line = text[start:end]
        if CELL not in line and not (header is not None and _RULE.fullmatch(line)):
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
    """Lines joined to paragraphs, then cut at the ends of sentences."""
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
    """Whether a line's end is more than the edge of the page: before an item, or after a heading."""
    if _ITEM.match(following) or _HEADING.match(following) or _HEADING.match(line):
        return True
    short = len(line.strip()) < width * 0.6
    return short and following.lstrip()[:1].isupper()


def _of_paragraph(text: str, start: int, end: int) -> Iterator[Sentence]:
    for stop in _STOP.finditer(text, start, end):
        following = _FOLLOWING.match(text, stop.end(), end)
        if following and _ends(
            text[max(start, stop.start() - _LONG) : stop.start()], stop.group()[0], following.group(1)
        ):
            yield from _cut(text, start, stop.end())
            start = stop.end()
    yield from _cut(text, start, end)


def _ends(before: str, mark: str, following: str) -> bool:
    """Whether a mark ends the sentence before it, rather than an abbreviation, an initial or an item's number."""
    if mark in _WIDE_STOPS:
        return True
    if following[0].islower():
        return False
    words = before.split()
    if mark != "." or not words or before[-1].isspace():
        return bool(words)
    word = words[-1].lower().lstrip(_OPENING)
    if word in _BEFORE_NAMES or (word in _BEFORE_NUMBERS and following[0].isdigit()):
        return False
    if word in _ANYWHERE or (_INITIALS.fullmatch(word) and word != "i"):
        return following.lower().rstrip(",;:!?") in _STARTERS  # a full stop behind it makes it an initial too
    return not (word.isdigit() and len(words) == 1)  # "3. Results" is one item


def _cut(text: str, start: int, end: int) -> Iterator[Sentence]:
    """One sentence, or several where it is longer than may be."""
    start, end = _trimmed(text, start, end)
    while end - start > MAX_CHARACTERS:
        at = max(text.rfind(mark, start + MAX_CHARACTERS // 2, start + MAX_CHARACTERS) for mark in (" ", "\n", "\t"))
        at = at if at > start else start + MAX_CHARACTERS
        yield _sentence(text, start, at)
        # Only what was cut off is looked at again, so that a text without end takes no more than its length.
        start = _SPACE.match(text, at, end).end()  # type: ignore[union-attr]  # nothing is a match too
    if start < end:
        yield _sentence(text, start, end)


def _sentence(text: str, start: int, end: int, header: str = "") -> Sentence:
    return Sentence(" ".join(text[start:end].split()), *_trimmed(text, start, end), header)


def _trimmed(text: str, start: int, end: int) -> Span:
    """The same span without white space around it."""
    found = text[start:end]
    return start + len(found) - len(found.lstrip()), end - len(found) + len(found.rstrip())

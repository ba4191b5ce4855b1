"""Lines of text on a PDF's page, and how they join to running text."""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from modulo.adapters.pdf_geometry import HYPHEN, Run

BULLET = re.compile(r"(?:[•▪◦°‣●■□➢✓➤·o*\u2013\u2014-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})[.)])")
_LEADERS = re.compile(r"(?:\s?[.·_…]){4,}\s*")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_EARLY_SPACE = re.compile(r"(?<=\w) (?=[.,](?:\s|$))")
_CUT_WORD = re.compile(r"([^\W\d_]+)-$")
_WORD_START = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


@dataclass(slots=True)
class Line:
    """Runs beside each other, from left to right."""

    runs: list[Run] = field(default_factory=list)

    @property
    def left(self) -> float:
        """Where it starts."""
        return self.runs[0].left

    @property
    def right(self) -> float:
        """Where it ends."""
        return max(run.right for run in self.runs)

    @property
    def bottom(self) -> float:
        """Its lowest descender."""
        return min(run.bottom for run in self.runs)

    @property
    def top(self) -> float:
        """Its highest ascender."""
        return max(run.top for run in self.runs)

    @property
    def size(self) -> float:
        """The size of most of its characters."""
        return max(self.runs, key=lambda run: len(run.text)).size

    @property
    def bold(self) -> bool:
        """Whether all of it is."""
        return all(run.bold for run in self.runs)

    @property
    def look(self) -> str:
        """The font and color of most of it."""
        return max(self.runs, key=lambda run: len(run.text)).look

    @property
    def order(self) -> int:
        """Its place in the page's content."""
        return self.runs[0].order

    @property
    def text(self) -> str:
        """Its parts with single spaces; the dots that lead to a number become one sign."""
        return _LEADERS.sub(" … ", " ".join(run.text for run in self.runs)).strip()


def lines_of(runs: Iterable[Run]) -> list[Line]:
    """Runs that follow each other in one line, in the order of the page's content."""
    lines: list[Line] = []
    for run in runs:
        last = lines[-1].runs[-1] if lines else None
        if last and last.beside(run) and run.left >= last.right - last.height:
            lines[-1].runs.append(run)
        else:
            lines.append(Line([run]))
    return [_with_bullet(line) for line in lines]


def rows_of(runs: Iterable[Run]) -> list[Line]:
    """Runs that stand beside each other, whatever their order, from the top down."""
    rows: list[Line] = []
    for run in sorted(runs, key=lambda run: -run.middle):
        if rows and rows[-1].runs[0].beside(run):
            rows[-1].runs.append(run)
        else:
            rows.append(Line([run]))
    for row in rows:
        row.runs.sort(key=lambda run: run.left)
    return rows


def _with_bullet(line: Line) -> Line:
    """The line with its bullet or number as part of its text, not as a column of its own."""
    first = line.runs[0]
    if len(line.runs) > 1 and BULLET.fullmatch(first.text):
        second = line.runs[1]
        second.text = f"{first.text} {second.text}"
        second.left, second.order = first.left, first.order
        del line.runs[0]
    return line


def words_of(texts: Iterable[str]) -> Iterator[str]:
    """Words in lower case, hyphens inside them kept; without those that the end of a line cuts in two."""
    cut = False
    for text in texts:
        words = [word.lower() for word in _WORD.findall(text)]
        begins, cut = cut, text.endswith(("-", HYPHEN))
        yield from words[int(begins) : len(words) - int(cut)]


def joined(texts: Sequence[str], known: Container[str]) -> str:
    """Lines as running text; a word that a line's end cut in two is put together again.

    `known` are words of the document: they tell whether the hyphen belongs to the word.
    """
    text = ""
    for line in texts:
        found = line.replace(HYPHEN, "-")
        cut, goes_on = _CUT_WORD.search(text), _WORD_START.match(found)
        if cut and goes_on:
            text = text if _keeps_hyphen(cut[1], goes_on[0], text[: cut.start()], known) else text[:-1]
            text += found
        else:
            text += f" {found}" if text else found
    return _EARLY_SPACE.sub("", text)


def _keeps_hyphen(before: str, after: str, earlier: str, known: Container[str]) -> bool:
    """Whether a hyphen at the end of a line belongs to the word."""
    before, lowered = before.lower(), after.lower()
    if before + lowered in known:
        return False
    if f"{before}-{lowered}" in known or (before in known and lowered in known):
        return True
    return earlier.endswith("-") or "-" in after or not after[0].islower()

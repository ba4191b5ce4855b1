"""Lines of text on a PDF's page, and how to join them to paragraphs."""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from modulo.adapters.parsing.pdf.geometry import HYPHEN, Run

BULLET = re.compile(r"(?:[•▪◦°‣●■□☐☒➢✓➤·o*\u2013\u2014-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})[.)])")
_LEADERS = re.compile(r"(?:\s?[.·_…]){4,}\s*|\s?[.·…](?:\s[.·…]){2,}\s*")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SPACE_BEFORE_STOP = re.compile(r"(?<=\w) (?=[.,](?:\s|$))")
_CUT_WORD = re.compile(r"(?<![^\W\d_])([^\W\d_]++)-$")
_CUT_CODE = re.compile(r"[^\W_]-$")  # "AB-" before "1234"
_WORD_START = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


@dataclass(slots=True)
class Line:
    """Runs beside each other, from left to right."""

    runs: list[Run] = field(default_factory=list)
    _text: str = ""
    _counted: int = 0

    @property
    def left(self) -> float:
        """Where it starts."""
        return self.runs[0].left

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.runs[0].right if len(self.runs) == 1 else max(run.right for run in self.runs)

    @property
    def bottom(self) -> float:
        """Its lowest descender."""
        return self.runs[0].bottom if len(self.runs) == 1 else min(run.bottom for run in self.runs)

    @property
    def top(self) -> float:
        """Its highest ascender."""
        return self.runs[0].top if len(self.runs) == 1 else max(run.top for run in self.runs)

    @property
    def longest(self) -> Run:
        """Its run with most text."""
        return self.runs[0] if len(self.runs) == 1 else max(self.runs, key=lambda run: len(run.text))

    @property
    def size(self) -> float:
        """The font size of its longest run."""
        return self.longest.size

    @property
    def bold(self) -> bool:
        """Whether all of its runs are bold."""
        return self.runs[0].bold and all(run.bold for run in self.runs)

    @property
    def look(self) -> str:
        """The font and color of its longest run."""
        return self.longest.look

    @property
    def order(self) -> int:
        """The position of its first run in the page's content stream."""
        return self.runs[0].order

    @property
    def text(self) -> str:
        """Its runs joined by spaces; dot leaders of a table of contents become one ellipsis."""
        if self._counted != len(self.runs):
            text = self.runs[0].text if len(self.runs) == 1 else " ".join(run.text for run in self.runs)
            if text.count(".") > 2 or not text.isascii() or "_" in text:
                text = _LEADERS.sub(" … ", text)
            self._text, self._counted = text.strip(), len(self.runs)
        return self._text


def lines_of(runs: Iterable[Run]) -> list[Line]:
    """Lines of runs that follow each other in the page's content stream, in its order."""
    lines: list[Line] = []
    for run in runs:
        last = lines[-1].runs[-1] if lines else None
        if last and last.beside(run) and run.left >= last.right - last.height:
            lines[-1].runs.append(run)
        else:
            lines.append(Line([run]))
    return [_with_bullet(line) for line in lines]


def rows_of(runs: Iterable[Run]) -> list[Line]:
    """Rows of runs that stand beside each other, from top to bottom, whatever their order in the content stream."""
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
    """The line with its bullet or number joined to its text, so that it does not look like a column.

    The runs themselves stay as they are: the page is read from them again, as where a table turns out to be none.
    """
    if len(line.runs) < 2 or not BULLET.fullmatch(line.runs[0].text):
        return line
    first, second, *others = line.runs
    lead = f"{first.text} "
    gaps = [gap._replace(offset=gap.offset + len(lead)) for gap in second.gaps]
    whole = replace(second, text=lead + second.text, left=first.left, order=first.order, gaps=gaps)
    return Line([whole, *others])


def whole_words(texts: Iterable[str]) -> Iterator[str]:
    """Words in lower case, with the hyphens inside them, without words that a hyphen at the end of a line divides."""
    cut = False
    for text in texts:
        words = [word.lower() for word in _WORD.findall(text)]
        begins, cut = cut, text.endswith(("-", HYPHEN))
        yield from words[int(begins) : len(words) - int(cut)]


def join_lines(texts: Sequence[str], known_words: Container[str]) -> str:
    """The lines as one text, with words that a hyphen divides joined again.

    `known_words` are words of the document; they tell whether a hyphen belongs to the word.
    """
    text = ""
    for line in texts:
        found = line.replace(HYPHEN, "-")
        if not text.endswith("-"):
            text += f" {found}" if text else found
            continue
        cut, goes_on = _CUT_WORD.search(text), _WORD_START.match(found)
        if cut and goes_on:
            text = text if _keeps_hyphen(cut[1], goes_on[0], text[: cut.start()], known_words) else text[:-1]
            text += found
        elif _CUT_CODE.search(text) and found[:1].isdigit():
            text += found
        else:
            text += f" {found}"
    return _SPACE_BEFORE_STOP.sub("", text) if " ." in text or " ," in text else text


def _keeps_hyphen(before: str, after: str, earlier: str, known_words: Container[str]) -> bool:
    """Whether a hyphen at the end of a line belongs to the word."""
    before, lowered = before.lower(), after.lower()
    if before + lowered in known_words:
        return False
    if f"{before}-{lowered}" in known_words or (before in known_words and lowered in known_words):
        return True
    return earlier.endswith("-") or "-" in after or not after[0].islower()

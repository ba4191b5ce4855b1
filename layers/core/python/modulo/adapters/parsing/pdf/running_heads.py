"""Running heads, running feet and page numbers: lines that differ in nothing but a page number from page to page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modulo.adapters.parsing.pdf.lines import Line, rows_of

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.geometry import DrawnPage, Run

EDGE = 0.11
"""The share of a page's height, at top and bottom, where running heads and feet stand."""
_FEWEST_PAGES = 3
_SHARE = 3  # a running head stands on one of so many pages at least
_NUMBER = re.compile(r"[^\w]{0,3}(\d{1,4}|[ivxlc]{1,7}|[IVXLC]{1,7})[^\w]{0,3}")
_NAMED = re.compile(  # "Page 3 of 9", "3 / 9", "| 3 |"
    r"\b(?:page|pages|pg\.?|p\.|seite|blatt|p\u00e1gina|pagina|p\u00e1g\.|side|sida|strona|\u0441\u0442\u0440\.?|\u7b2c)"
    r"\s?\d{1,4}\b(?:\s?(?:of|/|von|de|sur|di|av|z|\u0438\u0437)\s?\d{1,4}\b)?"
    r"|^\W{0,3}\d{1,4}\s?(?:/|of|von|de|sur|di)\s?\d{1,4}\W{0,3}$"
    r"|^\d{1,4}\s?[|\u2022\u00b7\u2013\u2014]\s|\s[|\u2022\u00b7\u2013\u2014]\s?\d{1,4}$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?:[:#\u2116]|\b(?:no|nr|num|number|nummer|n\u00b0|n\u00ba|invoice|case|order|ref)\.?)\s*$", re.IGNORECASE
)
_OFFSETS = range(-80, 6)  # of a number in a line with words from the page's place in the file
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_WORD = re.compile(r"[^\W\d_]")
PAGE_NUMBER = "#"


@dataclass(frozen=True, slots=True)
class RunningHeads:
    """The lines to leave out, by their keys, each with the index of the page where it is kept.

    `offsets` are what the page numbers of the document have in common: number minus index.
    """

    kept_at: dict[str, int] = field(default_factory=dict)
    offsets: frozenset[int] = frozenset()

    def without(self, runs: Iterable[Run], page: DrawnPage) -> Iterator[Run]:
        """The runs of a page that belong to no running head, or to one that is kept there."""
        found = list(runs)
        if not self.kept_at and not self.offsets:
            yield from found
            return
        rows = _edge_rows(found, page)
        upper = [row for row in rows if row.runs[0].middle > page.height / 2]
        lower = [row for row in rows if row.runs[0].middle <= page.height / 2][::-1]
        outer = rows if page.is_aside else [*self._outermost(upper, page), *self._outermost(lower, page)]
        dropped = {id(run) for row in outer if self._leaves_out(row, page) for run in row.runs}
        if self.offsets and found and not page.is_aside:
            dropped |= {id(run) for run in self._number_below(found, page)}
        yield from (run for run in found if id(run) not in dropped)

    def _outermost(self, rows: Sequence[Line], page: DrawnPage) -> Iterator[Line]:
        """The rows from the edge inwards up to the first that is no running head: behind it is text."""
        for row in rows:
            if not (self._leaves_out(row, page) or _key(row, page.index) in self.kept_at):
                return
            yield row

    def _leaves_out(self, row: Line, page: DrawnPage) -> bool:
        if (number := _bare_number(row.text)) is not None and len(row.runs) == 1:
            # Roman numbers come before the others, and count from elsewhere.
            return number - page.index in self.offsets or (bool(self.offsets) and not re.search(r"\d", row.text))
        key = _key(row, page.index)
        return key in self.kept_at and (self.kept_at[key] != page.index or not _WORD.search(key))

    def _number_below(self, runs: Sequence[Run], page: DrawnPage) -> list[Run]:
        """The page number right below the text of a short page."""
        lowest = min(runs, key=lambda run: run.middle)
        if any(run is not lowest and run.beside(lowest) for run in runs):
            return []
        number = _bare_number(lowest.text)
        return [lowest] if number is not None and number - page.index in self.offsets else []


def running_heads_of(pages: Sequence[DrawnPage]) -> RunningHeads:
    """The running heads that a sample of pages shows."""
    times: Counter[str] = Counter()
    offsets: Counter[int] = Counter()
    first: dict[str, int] = {}
    for page in pages:
        rows = [row for each in (page, *page.asides) for row in _edge_rows(each.runs, each)]
        numbers = {_bare_number(row.text) for row in rows if len(row.runs) == 1} - {None}
        offsets.update(number - page.index for number in numbers if number is not None)
        keys = {_key(row, page.index) for row in rows}
        times.update(keys)
        for key in keys:
            first.setdefault(key, page.index)
    often = {key for key, count in times.items() if _is_often(count, len(pages))}
    plain = frozenset(offset for offset, count in offsets.items() if _is_often(count, len(pages)))
    return RunningHeads({key: first[key] for key in often if key}, plain)


def _is_often(count: int, pages: int) -> bool:
    return count >= _FEWEST_PAGES and count * _SHARE >= pages


def _edge_rows(runs: Iterable[Run], page: DrawnPage) -> list[Line]:
    """The rows at the top and bottom of a page, where running heads and feet stand; all of what is read sideways."""
    if page.is_aside:
        return rows_of(runs)
    low, high = EDGE * page.height, (1 - EDGE) * page.height
    return rows_of(run for run in runs if not low < run.middle < high)


def _key(row: Line, index: int) -> str:
    """What a row has in common on every page: all but its page number."""
    texts = [run.text for run in row.runs]
    for place, text in enumerate(texts):
        number = _bare_number(text)
        if number is not None and len(texts) > 1 and number - index in _OFFSETS:
            before = texts[place - 1] if place else ""
            if not _COUNTED.search(before):
                texts[place] = f"{PAGE_NUMBER}{number - index}"
    text = " ".join(" ".join(texts).lower().split())
    return _NAMED.sub(f" {PAGE_NUMBER} ", text).strip()


def _bare_number(text: str) -> int | None:
    """The page number that is all of a text."""
    found = _NUMBER.fullmatch(text.strip())
    if not found:
        return None
    if found[1].isdigit():
        return int(found[1])
    values = [_ROMAN[letter] for letter in found[1].lower()]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))

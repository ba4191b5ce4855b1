"""What holds for all of a PDF: its body's size, its words, its running heads and its table of contents."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from modulo.adapters.pdf_geometry import Run, Sheet
from modulo.adapters.pdf_lines import Line, rows_of, words_of

_EDGE = 0.08  # of the page's height
_NO_LETTERS = re.compile(r"[\W\d_]+")
_PAGE_NUMBER = 5  # characters


@dataclass(slots=True)
class Style:
    """What is known of the whole document.

    `titles` are the levels of the titles in its table of contents, by page and then by text
    without white space and case; `level` is that of the one passed last.
    """

    body: float
    words: Container[str] = frozenset()
    furniture: Container[str] = frozenset()
    titles: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    level: int = 0

    def titles_near(self, index: int) -> dict[str, int]:
        """Those of a page and, as links miss now and then, of the pages beside it."""
        return {
            key: level for near in (index - 1, index + 1, index) for key, level in self.titles.get(near, {}).items()
        }


def letters_of(text: str) -> str:
    """Its letters in lower case: what a title has in common wherever it stands."""
    return _NO_LETTERS.sub("", text).lower()


def style_of(sheets: Sequence[Sheet], titles: Mapping[int, Mapping[str, int]]) -> Style:
    """What a sample of pages tells of all of them."""
    sizes: Counter[float] = Counter()
    words: set[str] = set()
    edges: Counter[str] = Counter()
    for sheet in sheets:
        for run in sheet.runs:
            sizes[round(run.size * 2) / 2] += len(run.text)
        words.update(words_of(run.text for run in sheet.runs))
        edges.update({key for row in _edge_rows(sheet.runs, sheet) if (key := _key(row)) is not None})
    furniture = frozenset(key for key, times in edges.items() if times >= 3 and times * 3 >= len(sheets))
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    return Style(body, words, furniture, titles)


def without_furniture(runs: Iterable[Run], sheet: Sheet, furniture: Container[str]) -> Iterator[Run]:
    """The runs that are no running head or foot."""
    found = list(runs)
    dropped = {id(run) for row in _edge_rows(found, sheet) if _key(row) in furniture for run in row.runs}
    yield from (run for run in found if id(run) not in dropped)


def _edge_rows(runs: Iterable[Run], sheet: Sheet) -> list[Line]:
    """Rows where running heads and feet stand."""
    low, high = _EDGE * sheet.height, (1 - _EDGE) * sheet.height
    return rows_of(run for run in runs if not low < run.middle < high)


def _key(row: Line) -> str | None:
    """What a row has in common on all pages: its letters; nothing but a page number has none."""
    key = letters_of(row.text)
    return key if key or len(row.text) <= _PAGE_NUMBER else None

"""What holds for a whole PDF: font size of the body, words, running heads and table of contents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modulo.adapters.parsing.pdf.lines import whole_words
from modulo.adapters.parsing.pdf.running_heads import RunningHeads, running_heads_of

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.geometry import DrawnPage
    from modulo.adapters.parsing.pdf.tables import Table

_NO_LETTERS = re.compile(r"[\W\d_]+")


@dataclass(slots=True)
class Style:
    """What is known of the whole document.

    `body` is the font size of most text; `words` are words of the document. `toc_levels` has the levels of the titles
    in its table of contents, by page index and then by `letters_only`; `toc_level` is that of the one passed last.
    `open_table` is the table that the page before ended with.
    """

    body: float
    words: Container[str] = frozenset()
    running_heads: RunningHeads = field(default_factory=RunningHeads)
    toc_levels: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    toc_level: int = 0
    open_table: Table | None = None

    def toc_levels_near(self, index: int) -> dict[str, int]:
        """The titles of a page and of its neighbours, as links may miss by one page."""
        return {
            key: level for near in (index - 1, index + 1, index) for key, level in self.toc_levels.get(near, {}).items()
        }


def letters_only(text: str) -> str:
    """The letters of a text in lower case: what is the same of a title or running head on every page."""
    return _NO_LETTERS.sub("", text).lower()


def style_of(pages: Sequence[DrawnPage], toc_levels: Mapping[int, Mapping[str, int]]) -> Style:
    """The style of a document, inferred from a sample of its pages."""
    sizes: Counter[float] = Counter()
    words: set[str] = set()
    for page in pages:
        for run in page.runs:
            sizes[round(run.size * 2) / 2] += len(run.text)
        words.update(whole_words(run.text for run in page.runs))
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    return Style(body, words, running_heads_of(pages), toc_levels)

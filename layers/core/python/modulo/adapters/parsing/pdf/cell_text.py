"""The text of a table's cell, which knows the runs that it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modulo.adapters.parsing.pdf.geometry import Run


class CellText(str):
    """A text with its runs in order; whatever is made of it by a string's own methods is a plain string."""

    __slots__ = ("runs",)
    runs: tuple[Run, ...]

    def __new__(cls, text: str, runs: Iterable[Run]) -> CellText:
        """The text, made of the runs."""
        made = super().__new__(cls, text)
        made.runs = tuple(runs)
        return made


def runs_of(*texts: str) -> list[Run]:
    """The runs that texts were made of, as far as they know them."""
    return [run for text in texts if isinstance(text, CellText) for run in text.runs]

"""How exactly a row of a table is what a question asks for, by the words of its cells: rerankers read tables badly."""

from collections.abc import Sequence, Set

from modulo.domain.text.negation import denies
from modulo.domain.text.stemming import content_words
from modulo.domain.text.table_rows import cells, column_names

MIN_SHARE_OF_NAME = 0.5
"""How much of a row's name must be asked for where its passage's score is low."""
_YES = frozenset(("yes", "ja", "oui", "s\u00ed", "s\u00ec", "sim", "x", "true"))


def share_of_name(name: Set[str], asked: Set[str]) -> float:
    """From 0 to 1: how many of the words that name the row are asked for."""
    return len(name & asked) / len(name) if name else 0.0


def row_match(name: Set[str], asked: Set[str]) -> float:
    """From 0 to 1: how much of the row's name is asked for, times how much of what is asked for is its name.

    The first alone finds a row "Cash" as exact as "Cash used in investing activities" where a question is about the
    latter. Numbers count in the name only: where they are asked for, they are demanded anyway.
    """
    words = frozenset(word for word in asked if not word.isdigit())
    return share_of_name(name, asked) * (len(words & name) / len(words)) if words else 0.0


def selecting_cells(header: Sequence[str], row: str, asked: Set[str], *, denied: bool = False) -> dict[int, Set[str]]:
    """The columns, but the first, whose cell is asked for as a whole, with its words.

    A cell that says no more than "yes" has the words of its column. Where the question is `denied`, so is the cell.
    """
    columns, values = column_names(header), cells(row)
    if len(columns) != len(values):
        return {}
    told = {
        at: frozenset(content_words(columns[at] if cell.casefold() in _YES else cell))
        for at, cell in enumerate(values)
        if at and any(map(str.isalpha, cell)) and denies(cell) == denied
    }
    return {at: words for at, words in told.items() if words and words <= asked}

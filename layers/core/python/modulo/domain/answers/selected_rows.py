"""Rows that a question selects by what a cell of them says, such as "open" below "Status": all of them answer it."""

from collections.abc import Sequence
from dataclasses import replace

from modulo.domain.answers.extract_text import GAP
from modulo.domain.answers.extracts import Extract
from modulo.domain.answers.row_match import MIN_SHARE_OF_NAME, share_of_name
from modulo.domain.retrieval.passage_sentences import MAX_LIST_WORDS


def selected_together(
    near: list[Extract], read: Sequence[Extract], possible: Sequence[Extract], words: frozenset[str]
) -> list[Extract]:
    """In place of the best row all rows of its table that the question selects alike, and none that it does not.

    Where it is for what the table is headed, that is all of them. Not where it names the row, or where one of those
    rows was read and is not good enough.
    """
    best = near[0] if near else None
    if best is None or not best.table or is_named(best, words):
        return near
    if best.is_headed and not best.selecting:
        of_table = [one for one in possible if (one.mark, one.table) == (best.mark, best.table)]
        return [_shortened(*_joined(of_table)), *(one for one in near if not one.table)]
    if not best.selecting:
        return near

    def alike(found: Sequence[Extract]) -> list[Extract]:
        columns = best.selecting.keys()
        of_table = [one for one in found if (one.mark, one.table) == (best.mark, best.table)]
        return [one for one in of_table if columns <= one.selecting.keys()]

    if len(alike(near)) < len(alike(read)):
        return near
    others = [one for one in near if (one.mark, one.table) != (best.mark, best.table)]
    return [*_joined(alike(possible)), *others]


def decided_together(found: Sequence[Extract]) -> list[Extract]:
    """The decided rows of each table, as one extract; none where a table goes on in another passage undecided."""
    tables: dict[tuple[int, str], list[Extract]] = {}
    for one in found:
        if one.table:
            tables.setdefault((one.mark, one.table), []).append(one)
    decided = {key: [one for one in rows if one.is_decided] for key, rows in tables.items()}
    whole = {key: len(decided[key]) == len(rows) for key, rows in tables.items()}
    split = {table for mark, table in tables if any((at, table) in tables for at, _ in tables if at != mark)}
    together = [
        rows
        for (_, table), rows in decided.items()
        if rows and (table not in split or all(whole[key] for key in tables if key[1] == table))
    ]
    return [_shortened(*_joined(rows)) for rows in together]


def _shortened(joined: Extract, *others: Extract) -> Extract:
    """The joined rows, with a sign that there are others."""
    return replace(joined, text=joined.text.replace(joined.quoted, joined.quoted + GAP.rstrip())) if others else joined


def is_named(row: Extract, words: frozenset[str]) -> bool:
    """Whether the question names the row."""
    return share_of_name(row.row_words, words) >= MIN_SHARE_OF_NAME


def _joined(rows: Sequence[Extract]) -> list[Extract]:
    """Rows of one table as one extract, below what stands above all of them, as far as there is room."""
    first, *others = sorted(rows, key=lambda one: one.start)
    text, quoted, joined = first.text, first.quoted, 1
    for one in others:
        row = one.quoted.removeprefix(one.table)
        if len(quoted.split()) + len(row.split()) > MAX_LIST_WORDS:
            break
        quoted, joined = f"{quoted}{GAP}{row}", joined + 1
    text = first.text.replace(first.quoted, quoted)
    return [replace(first, text=text, quoted=quoted), *others[joined - 1 :]]

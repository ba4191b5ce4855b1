"""Rows of a table that its figures or its heading decide on: a reranker cannot compare numbers.

Decided are all rows where the question is for what the table is headed ("What are the daily allowances?"), the row
with the largest or smallest figure ("Which course has the most places?"), rows whose figure has risen or fallen
("Which articles became cheaper?") or is the same in two columns ("Which tickets cost adults and children the same?"),
and the row whose range holds a number ("I am 45: which group?").
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from modulo.domain.retrieval.passage_sentences import PassageSentence
from modulo.domain.text.number_ranges import NumberRange, amounts, number, ranges
from modulo.domain.text.question_words import (
    ARTICLES,
    AUXILIARIES,
    JOINTS,
    MEASURES,
    POINTING,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
    REQUESTS,
    words_of,
)
from modulo.domain.text.stemming import content_words
from modulo.domain.text.table_rows import cells, column_names
from modulo.domain.text.word_set import word_set

_FUNCTION_WORDS = ARTICLES.union(
    AUXILIARIES, JOINTS, POINTING, PREPOSITIONS, PRONOUNS, QUESTION_WORDS, REQUESTS,
    word_set("am be been being there exist all me us mir uns gibt alle ? , ;"),
)  # fmt: skip
_HOW = ("how", "wie")
_WHICH = word_set("which welche welcher welches welchen")
_ANY_KIND = frozenset(content_words("product item article entry thing option position produkt produkte artikel"))
_SUM = re.compile(r"\W*(?:total|sum|summe|gesamt|insgesamt)\b", re.IGNORECASE)
_LISTS = re.compile(r"\W*(?:what|which|how|list|show|give|name|wie|was|welche\w?|nenne?|zeige?|liste)\b", re.IGNORECASE)
_CHOOSES = re.compile(r"\b(?:what|which|who|whose|where|welche\w?|wer|wo|was)\b", re.IGNORECASE)
_PRICE = frozenset(
    content_words("price prices cost costs fee fees rate rates charge preis preise kosten geb\u00fchr betrag beitrag")
)
_WEIGHT = frozenset(content_words("weight kg gewicht"))
_DEAREST = re.compile(r"\b(?:most expensive|dearest|priciest|teuerste\w?)\b", re.IGNORECASE)
_CHEAPEST = re.compile(r"\b(?:cheapest|least expensive|billigste\w?|g\u00fcnstigste\w?)\b", re.IGNORECASE)
_HEAVIEST = re.compile(r"\b(?:heaviest|schwerste\w?)\b", re.IGNORECASE)
_LIGHTEST = re.compile(r"\b(?:lightest|leichteste\w?)\b", re.IGNORECASE)
_MOST = re.compile(
    r"\b(?:most|highest|largest|biggest|greatest|longest|maximum|meisten?|h\u00f6chste\w?|gr\u00f6\u00dfte\w?|l\u00e4ngste\w?)\b",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"\b(?:least|lowest|smallest|fewest|shortest|minimum|wenigsten?|niedrigste\w?|kleinste\w?|k\u00fcrzeste\w?)\b",
    re.IGNORECASE,
)
_SUPERLATIVES: Sequence[tuple[re.Pattern[str], int, frozenset[str]]] = (
    (_DEAREST, 1, _PRICE),
    (_CHEAPEST, -1, _PRICE),
    (_HEAVIEST, 1, _WEIGHT),
    (_LIGHTEST, -1, _WEIGHT),
    (_MOST, 1, frozenset()),
    (_LEAST, -1, frozenset()),
)
_FELL = re.compile(
    r"\b(?:(?:became|become|got|gotten|getting|now) (?:cheaper|less expensive)|fell|fallen|dropped|decreased|sank|sunk|"
    r"(?:went|gone) down|(?:billiger|g\u00fcnstiger) geworden|gefallen|gesunken)\b",
    re.IGNORECASE,
)
_ROSE = re.compile(
    r"\b(?:(?:became|become|got|gotten|getting|now) (?:more expensive|dearer)|(?:rose|risen|increased)|"
    r"(?:went|gone) up|teurer geworden|gestiegen)\b",
    re.IGNORECASE,
)
_ALIKE = re.compile(
    r"\b(?:the same|same|equal(?:ly)?|identical|gleich(?:e[nmrs]?|viel)?(?: (?:viel|hoch|teuer|lange?))?|dasselbe|"
    r"denselben|identisch\w*)\b",
    re.IGNORECASE,
)
_COSTS = _PRICE.union(content_words("cost costs kostet"))
_PERIOD = re.compile(r"\b(?:19|20)\d\d\b")
_FIGURE = re.compile(r"[^\w\d]{0,3}(\d+(?:[.,]\d{3})*(?:[.,]\d+)?)\W?\s?([^\W\d_]*)\.?")
_LIKE_THOUSANDS = re.compile(r"\d{1,3}\.\d{3}")


MIN_ROWS = 2
"""A table of one row leaves nothing to decide."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a question tables can decide."""

    subject: frozenset[str]
    """The stems of what it is about, without what follows."""
    lists: bool
    """Whether it may be for all rows."""
    columns: frozenset[str]
    """Words of the column that it compares; empty where only its subject names it."""
    most: int = 0
    """1 where it is for the largest figure, -1 for the smallest."""
    change: int = 0
    """1 where it is for rows whose figure has risen, -1 for those where it has fallen."""
    alike: bool = False
    """Whether it is for rows whose cells in two columns are the same."""
    amounts: Mapping[str, NumberRange] = field(default_factory=dict)
    """Its numbers by their figures, which are no part of the subject."""
    kind: frozenset[str] = frozenset()
    """What it asks which of: the rows are of that kind, by whatever name."""


def selection_of(question: str) -> Selection:
    """What of it tables can decide."""
    rest, most, change, alike, columns = question, 0, 0, False, frozenset[str]()
    if _CHOOSES.search(question):
        for pattern, direction, named in _SUPERLATIVES:
            if not most and pattern.search(rest):
                rest, most, columns = pattern.sub(" ", rest), direction, named
        for pattern, direction in ((_FELL, -1), (_ROSE, 1)):
            if not most and not change and pattern.search(rest):
                columns = _PRICE if "cheap" in rest or "expensive" in rest or "er geworden" in rest else columns
                rest, change = pattern.sub(" ", rest), direction
        if not most and not change and _ALIKE.search(rest):
            rest, alike = _ALIKE.sub(" ", rest), True
    asked = words_of(rest)
    words = [
        word
        for last, word in zip(("", *(one.key for one in asked)), asked, strict=False)
        if word.key not in _FUNCTION_WORDS and not (word.key in MEASURES and last in _HOW)
    ]
    which = next((at for at, word in enumerate(asked[:-1], 1) if word.key in _WHICH), 0)
    kind = frozenset(content_words(asked[which].text)) if which else frozenset[str]()
    told = amounts(question)
    return Selection(
        frozenset(content_words(" ".join(word.text for word in words if word.key.replace(",", "") not in told))),
        bool(_LISTS.match(question)) and not (most or change or alike),
        columns,
        most,
        change,
        alike,
        told,
        kind,
    )


def decided_rows(asked: Selection, rows: Sequence[PassageSentence], context: str) -> frozenset[int]:
    """The places of the decided rows among the rows of one table; `context` is its document's name and headings."""
    header = column_names(rows[0].header)
    counted = [at for at, row in enumerate(rows) if not _SUM.match(row.text)]
    table = [cells(rows[at].text) for at in counted]
    if len(table) < MIN_ROWS or any(len(row) != len(header) for row in table):
        return frozenset()
    if _heads(asked, rows[0]):
        return frozenset(range(len(rows)))
    if not (asked.most or asked.change or asked.alike or asked.amounts):
        return frozenset()
    above = frozenset(content_words("\n".join((context, rows[0].above))))
    told = above.union(content_words("\n".join(row.text for row in rows)) if asked.kind else ())
    subject = asked.subject - asked.kind - _ANY_KIND - (_COSTS if asked.alike else frozenset())
    if not subject <= above or not asked.kind - _ANY_KIND <= told:
        return frozenset()
    found = frozenset[int]()
    if asked.most and (asked.columns & above or not asked.columns):
        found = _extreme(asked, header, table)
    elif asked.change and (asked.columns or asked.subject) & above:
        found = _changed(asked, header, table)
    elif asked.alike:
        found = _same_in_two_columns(subject, header, table)
    elif asked.subject and not asked.change:
        found = _within_ranges(tuple(asked.amounts.values()), table)
    return frozenset(counted[at] for at in found)


def _within_ranges(asked: Sequence[NumberRange], table: Sequence[Sequence[str]]) -> frozenset[int]:
    """The rows with a range that holds one of these numbers, in the first column of ranges; the first of several."""
    for column in range(len(table[0])):
        spans = [ranges(row[column]) for row in table]
        found = [at for at, of_row in enumerate(spans) if any(one.holds(number) for one in of_row for number in asked)]
        if found and sum(map(bool, spans)) * 2 > len(table):
            return frozenset(found[:1])
    return frozenset()


def is_headed(asked: Selection, row: PassageSentence) -> bool:
    """Whether the question is for what its table is headed, or a part of that."""
    told = frozenset(content_words("\n".join((*row.headings[-1:], row.lead))))
    return asked.lists and bool(asked.subject) and asked.subject <= told


def _heads(asked: Selection, row: PassageSentence) -> bool:
    """Whether the question is for just what the table is headed."""
    told = (frozenset(content_words(one)) for one in (*row.headings[-1:], row.lead))
    return asked.lists and bool(asked.subject) and asked.subject in told


def _extreme(asked: Selection, header: Sequence[str], table: Sequence[Sequence[str]]) -> frozenset[int]:
    """The rows with the largest or smallest figure, where all columns that may be meant agree."""
    best = max if asked.most > 0 else min
    return _agreed(
        asked, header, table, lambda column: frozenset(at for at, one in enumerate(column) if one == best(column))
    )


def _agreed(
    asked: Selection,
    header: Sequence[str],
    table: Sequence[Sequence[str]],
    chosen: Callable[[Sequence[float]], frozenset[int]],
) -> frozenset[int]:
    named = frozenset(content_words(" ".join(header)))
    wanted = asked.columns & named or asked.subject  # a heading such as "Prices" may say it for all columns
    told = [len(wanted & frozenset(content_words(name))) for name in header]
    columns = [_figures([row[at] for row in table]) for at, count in enumerate(told) if count and count == max(told)]
    found = {chosen(column) for column in columns if column}
    return found.pop() if len(found) == 1 else frozenset()


def _changed(asked: Selection, header: Sequence[str], table: Sequence[Sequence[str]]) -> frozenset[int]:
    """The rows whose figure in the later of two like columns is larger, or smaller, than in the earlier."""
    years = {at: period[0] for at, name in enumerate(header) if (period := _PERIOD.search(name))}
    if len(years) != 2 or len({_PERIOD.sub("", header[at]).strip() for at in years}) > 1:
        return frozenset()
    first, last = (_figures([row[at] for row in table]) for at in sorted(years, key=years.__getitem__))
    pairs = enumerate(zip(first, last, strict=True)) if first and last else ()
    return frozenset(at for at, (one, other) in pairs if (other - one) * asked.change > 0)


def _same_in_two_columns(
    subject: frozenset[str], header: Sequence[str], table: Sequence[Sequence[str]]
) -> frozenset[int]:
    """The rows whose cells are the same in the two columns that are named, whether by figures or by words."""
    named = {at: subject.intersection(content_words(name)) for at, name in enumerate(header) if at}
    told = [at for at, words in named.items() if words]
    if len(told) != 2 or named[told[0]] == named[told[1]]:
        return frozenset()
    one, other = told
    return frozenset(at for at, row in enumerate(table) if row[one] and row[one].casefold() == row[other].casefold())


def _figures(column: Sequence[str]) -> list[float]:
    """The figures of a column; none unless every cell holds one, in the same unit."""
    found = [_FIGURE.fullmatch(cell) for cell in column]
    read = [one for one in found if one]
    if (
        len(read) < len(column)
        or len({one[2] for one in read}) > 1
        or any(_LIKE_THOUSANDS.fullmatch(one[1]) for one in read)
    ):
        return []
    return [number(one[1]) for one in read]

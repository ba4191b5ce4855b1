"""How an extract is read and quoted: a sentence or row with what heads or follows it, cut where it is long."""

import re
from collections.abc import Sequence

from modulo.domain.retrieval.passage_sentences import PassageSentence
from modulo.domain.text.stemming import content_words
from modulo.domain.text.table_rows import cells, column_names

MAX_WORDS = 60
"""Of one extract."""
MAX_HEADING_WORDS = 16
MAX_LEAD_WORDS = 30
GAP = " \u2026 "

# Brackets in a document must not look like a citation in the answer.
_WITHOUT_BRACKETS = str.maketrans("[]\u3010\u3011", "()()")
# Nor may a heading end a sentence or open a quotation.
_PLAIN = str.maketrans("[]\u3010\u3011!?", "()()  ", '"\u201c\u201d\u00ab\u00bb')
_STOP = re.compile(r"\.(?=\s|$)")


def told_of(sentence: PassageSentence, following: Sequence[PassageSentence], words: frozenset[str]) -> str:
    """The sentence with what it introduces, or the row below what names its columns, as far as there is room."""
    return _row(sentence, words) if sentence.is_row else _introduced(sentence, following, words)


def _introduced(sentence: PassageSentence, following: Sequence[PassageSentence], words: frozenset[str]) -> str:
    """The sentence, cut if it is long; of a lead-in, also what it introduces, as far as there is room."""
    if sentence.is_list:
        return sentence.text
    parts = [_cut(sentence.text, words)]
    room = MAX_WORDS - len(parts[0].split())
    if sentence.text.endswith((":", "\uff1a")):
        for one in following:
            room -= len(one.text.split())
            if one.lead != sentence.text or one.is_row or room < 0:
                break
            parts.append(one.text)
    return " ".join(parts)


def quotation(sentence: PassageSentence, told: str) -> str:
    """What is told of it as it is quoted."""
    return _below_lead(sentence, told).translate(_WITHOUT_BRACKETS)


def _below_lead(sentence: PassageSentence, told: str) -> str:
    """An item below the line with a colon that introduces it: without it, an exception reads like a rule."""
    if sentence.is_row or not sentence.lead.endswith((":", "\uff1a")) or len(sentence.lead.split()) > MAX_LEAD_WORDS:
        return told
    return f"{sentence.lead}{GAP}{told}"


def _cut(text: str, words: frozenset[str], most: int = MAX_WORDS) -> str:
    """A run of at most so many words that holds most of the question's."""
    split = text.split()
    if len(split) <= most:
        return text
    room = most - 2
    hits = [bool(words.intersection(content_words(word))) for word in split]
    held = [sum(hits[at : at + room]) for at in range(len(split) - room + 1)]
    best = [at for at, count in enumerate(held) if count == max(held)]
    first = best[len(best) // 2]  # so that the question's words stand in the middle
    cut = " ".join(split[first : first + room])
    before, behind = "\u2026 " if first else "", " \u2026" if first + room < len(split) else ""
    return f"{before}{cut}{behind}"


def _row(row: PassageSentence, words: frozenset[str]) -> str:
    """The row below its caption, header and group; of a long one only the columns that the question is about."""
    lines = [*row.header, *filter(None, [row.group]), row.text]
    whole = GAP.join(filter(None, [row.lead, *lines]))
    if len(whole.split()) <= MAX_WORDS:
        return whole
    names = column_names(row.header)
    values = cells(row.text)
    if len(names) != len(values):
        above = _cut(GAP.join(lines[:-1]), words, most=MAX_WORDS // 2)
        return f"{above}{GAP}{_cut(row.text, words, most=MAX_WORDS // 2 - 1)}"
    split = [cells(line) for line in lines]
    shared = [len(words.intersection(content_words(name))) for name in names]
    shown, room = {0}, MAX_WORDS
    for column in sorted(range(len(names)), key=lambda column: (column > 0, -shared[column])):
        parts = [line[column] for line in split if column < len(line) and line[column]]
        room -= sum(len(part.split()) + 1 for part in parts)
        if room < 0:
            break
        shown.add(column)
    told = [[line[column] for column in sorted(shown) if column < len(line) and line[column]] for line in split]
    return _cut(GAP.join(filter(None, map(GAP.join, told))), words)


def heading_before(sentence: PassageSentence, quoted: str) -> str:
    """The heading that stands before the quotation, with a colon; empty where there is none or it repeats it."""
    heading = " ".join(_STOP.sub("", "".join(sentence.headings[-1:]).translate(_PLAIN)).split())
    if not heading or len(heading.split()) > MAX_HEADING_WORDS or heading.casefold() in quoted.casefold():
        return ""
    return f"{heading.rstrip(':')}: "


def scored_text(sentence: PassageSentence, told: str) -> str:
    """What a reranker reads of it: below its heading and what introduces it; a row by column."""
    told = sentence.spelled_out if sentence.is_row else " ".join(told.split()[:MAX_WORDS])
    return "\n".join(filter(None, (*sentence.headings[-1:], sentence.lead, told)))

"""Extracts: sentences and rows that may answer a question, each read and quoted with what gives it its meaning."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import groupby

from modulo.domain.answers.answer_kinds import asks_meaning, asks_why, may_tell_why, tells_why
from modulo.domain.answers.decided_rows import Selection, decided_rows, is_headed, selection_of
from modulo.domain.answers.demands import Demands, defines, demands_of, holds, keys_in, nearest, stems
from modulo.domain.answers.extract_text import MAX_WORDS, heading_before, quotation, scored_text, told_of
from modulo.domain.answers.row_match import selecting_cells
from modulo.domain.documents.outline import BETWEEN_HEADINGS
from modulo.domain.retrieval.passage import Passage
from modulo.domain.retrieval.passage_sentences import (
    PassageSentence,
    lists,
    passage_sentences,
    sections,
)
from modulo.domain.retrieval.passage_text import label
from modulo.domain.text.back_references import points_back, stands_alone
from modulo.domain.text.negation import denies
from modulo.domain.text.number_ranges import ranges
from modulo.domain.text.stemming import content_words
from modulo.domain.text.table_rows import cells

_WORD = re.compile(r"[^\W\d_]+")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b|\bFY ?\d\d\b")


@dataclass(frozen=True, slots=True)
class Extract:
    """What may be quoted from the passage numbered `mark`."""

    mark: int
    text: str
    """With its quotation marks and the heading before them."""
    quoted: str
    """Without them."""
    scored_text: str
    """What a reranker reads: below its heading and what introduces it; a row by column."""
    is_named: bool = False
    """Whether it reads that below its document's name, which raises the scores of all that stands there."""
    start: int = 0
    """Where it begins in its passage."""
    is_whole: bool = False
    """Whether it is all that its passage says, so that the passage's score is its own."""
    row_words: frozenset[str] = frozenset()
    """The stems of a row's first cell and group: what it is about."""
    selecting: Mapping[int, Set[str]] = field(default_factory=dict)
    """The columns of a row by whose cells the question selects it, with the stems of those cells."""
    is_covering: bool = False
    """Whether all words of the question stand in it or above it."""
    table: str = ""
    """What stands above a row that is quoted whole, as it is quoted."""
    heading: str = ""
    """The part of `text` before the quotation."""
    is_decided: bool = False
    """Whether it is a row that figures or headings decide on, so that nothing has to be read."""
    is_headed: bool = False
    """Whether the question is for what its table is headed, so that all rows belong to the answer."""
    tells_why: bool = False
    may_tell_why: bool = False


def extracts(question: str, passages: Sequence[Passage]) -> list[Extract]:
    """The extracts that hold the question's codes, numbers and names, each once."""
    demands, words, denied = demands_of(question), frozenset(content_words(question)), denies(question)
    asked = selection_of(question)
    meaning = bool(demands.codes) and asks_meaning(question)
    for strictly in (False,) if asks_why(question) else (True, False):  # a cause names no date
        found: dict[str, Extract] = {}
        for mark, passage in enumerate(passages, start=1):
            for one in _of_passage(
                mark, passage, demands, asked, words, denied=denied, meaning=meaning, strictly=strictly
            ):
                found.setdefault(one.text, one)
        if found or not demands.numbers:
            break
    return list(found.values())


def spelled_like(question: str, texts: Sequence[str]) -> str:
    """The question with words that no text holds replaced by those that differ from them by a letter or two."""
    known = {word.casefold() for text in texts for word in _WORD.findall(text)}
    known_stems = {stem for word in known for stem in content_words(word)}

    def spelled(match: re.Match[str]) -> str:
        word = match[0].casefold()
        if set(content_words(word)) <= known_stems:
            return match[0]
        return nearest(word, sorted(known)) or match[0]

    return _WORD.sub(spelled, question)


def _of_passage(
    mark: int,
    passage: Passage,
    demands: Demands,
    asked: Selection,
    words: frozenset[str],
    *,
    denied: bool,
    meaning: bool,
    strictly: bool,
) -> Iterator[Extract]:
    """The passage's extracts. Unless `strictly`, a number of the question may also stand further above.

    A year may stand anywhere in the passage, where a row's table names none for it.
    """
    named = f"{label(passage, words)}\n{passage.hit.chunk.heading}"
    if not holds(demands.names, frozenset(stems(f"{named}\n{passage.text}"))):
        return
    known = keys_in(named)
    split = passage_sentences(passage.text, passage.hit.chunk.heading)
    about = _document_above(passage, split, words)
    decided = _decided(asked, split, named)
    for at, sentence, before in _with_pointed_at(split, passage.text):
        keys = known | keys_in(f"{before} {sentence.text}") | keys_in(sentence.above)
        if not demands.codes <= keys or (meaning and not _defines(sentence, demands.codes)):
            continue
        if not demands.numbers <= keys and not demands.numbers <= keys.union(
            _in_ranges(sentence.text, asked), _keys_elsewhere(sentence, passage.text, strictly=strictly)
        ):
            continue
        told = told_of(sentence, split[at + 1 :], words)
        told = f"{before} {told}" if before else told
        quoted = quotation(sentence, told)
        heading = heading_before(sentence, quoted)
        above_asks_why = any(map(asks_why, (*sentence.headings[-1:], sentence.lead, *sentence.header)))
        yield Extract(
            mark,
            f"{heading}\u201c{quoted}\u201d",
            quoted,
            "\n".join(filter(None, (about, scored_text(sentence, told)))),
            is_named=bool(about),
            start=sentence.start,
            is_whole=len(split) == 1,
            row_words=_row_words(sentence),
            selecting=selecting_cells(sentence.header, sentence.text, words, denied=denied) if sentence.is_row else {},
            is_covering=len(words) > 1
            and words <= frozenset(content_words(f"{named}\n{sentence.above}\n{sentence.text}")),
            table=quoted[: -len(sentence.text)] if sentence.is_row and told.endswith(sentence.text) else "",
            heading=heading,
            is_decided=at in decided,
            is_headed=sentence.is_row and is_headed(asked, sentence),
            tells_why=above_asks_why or tells_why(sentence.text),
            may_tell_why=above_asks_why or may_tell_why(told),
        )


def _document_above(passage: Passage, split: Sequence[PassageSentence], words: frozenset[str]) -> str:
    """What the document is called, where the question says it and the passage is a part of several sections.

    A clause does not repeat whose contract it is in, so that one that happens to name a party would seem to answer.
    """
    if len(sections(split)) < 2 and BETWEEN_HEADINGS not in passage.hit.chunk.heading:
        return ""
    about = label(passage, words, section=False)
    return about if words.intersection(content_words(about)) else ""


def _keys_elsewhere(sentence: PassageSentence, text: str, *, strictly: bool) -> frozenset[str]:
    """The numbers of the passage that may count as the sentence's, though they stand neither in it nor above it."""
    if sentence.is_row:
        told = (*sentence.header, sentence.group, cells(sentence.text)[0])
        return frozenset() if any(map(_YEAR.search, told)) else frozenset(filter(_YEAR.fullmatch, keys_in(text)))
    return frozenset() if strictly else keys_in(text[: sentence.start])


def _decided(asked: Selection, split: Sequence[PassageSentence], named: str) -> frozenset[int]:
    """The places of those rows that figures or headings decide on."""
    found = frozenset[int]()
    rows = [at for at, one in enumerate(split) if one.is_row]
    for _, places in groupby(rows, key=lambda at: (split[at].headings, split[at].lead, split[at].header)):
        of_table = list(places)
        found |= {of_table[at] for at in decided_rows(asked, [split[at] for at in of_table], named)}
    return found


def _in_ranges(text: str, asked: Selection) -> Iterator[str]:
    """The question's numbers that lie within ranges of the text: 800 within "more than 500"."""
    spans = ranges(text) if asked.amounts else []
    return (told for told, one in asked.amounts.items() if any(span.holds(one) for span in spans))


def _with_pointed_at(split: Sequence[PassageSentence], text: str) -> Iterator[tuple[int, PassageSentence, str]]:
    """Each sentence and list with its place and what it points back to; also alone where it can be understood so."""
    for at, one in enumerate((*split, *lists(split))):
        before = _pointed_at(split, at, text)
        if before and stands_alone(one.text):
            yield at, one, ""
        yield at, one, before


def _pointed_at(split: Sequence[PassageSentence], at: int, text: str) -> str:
    """The sentences that the one at this place points back to: together they are one extract, as far as there is room.

    "It takes place on Sundays." tells neither a reranker nor a reader what it is about.
    """
    first = at
    while 0 < first < len(split) and points_back(split[first].text):
        before, this = split[first - 1], split[first]
        apart = before.is_row or this.is_row or (before.headings, before.lead) != (this.headings, this.lead)
        if (
            apart
            or text[before.end : this.start].strip()
            or len(text[before.start : split[at].end].split()) > MAX_WORDS
        ):
            break
        first -= 1
    return " ".join(one.text for one in split[first:at])


def _defines(sentence: PassageSentence, codes: frozenset[str]) -> bool:
    """Whether the sentence, or what stands above it, says what the codes stand for; any row does."""
    return (
        sentence.is_row
        or codes <= keys_in("\n".join((*sentence.headings, sentence.lead)))
        or defines(sentence.text, codes)
    )


def _row_words(sentence: PassageSentence) -> frozenset[str]:
    if not sentence.is_row:
        return frozenset()
    values = [cell for cell in cells(sentence.text) if any(map(str.isalpha, cell))]
    return frozenset(content_words(f"{sentence.group} {values[0] if values else ''}"))

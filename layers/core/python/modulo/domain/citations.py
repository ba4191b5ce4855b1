"""The check of a draft's citations: a mark stands only if the passage it names supports its statement.

The check compares words. It finds marks that name nothing, altered quotations, numbers from nowhere
and statements about something else; it cannot tell a denial from an affirmation.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modulo.domain.answer import NOT_FOUND, Answer, Cited, Draft
from modulo.domain.passage import Passage
from modulo.domain.sentences import sentences
from modulo.domain.support import Evidence, numbers
from modulo.domain.words import content_words

MAX_INTRODUCTION = 5
"""Words that carry meaning in a sentence that only introduces what follows."""
MAX_RANGE = 20

_LIST = r"\d{1,3}(?:\s?[,;\-\u2013]\s?\d{1,3})*"
_MARK = re.compile(rf"[\[\u3010]\s?(?:passages?\s?)?\^?({_LIST})\s?[\]\u3011]", re.IGNORECASE)
_BETWEEN = re.compile(r"\s?(?:,|;|and|&)?\s?")
_TAIL = re.compile(r"[.!?,;:\u2026\u3002\uff01\uff1f\"'\u201d\u2019\u00bb)*_]*")
_RANGE = re.compile(r"(\d+)(?:\s?[\-\u2013]\s?(\d+))?")


@dataclass(frozen=True, slots=True)
class _Statement:
    """A sentence of a draft, as written, with the marks that close it and the punctuation behind them."""

    text: str
    marks: tuple[int, ...] = ()
    tail: str = ""


def check(draft: Draft, passages: Sequence[Passage], *, max_citations: int) -> Answer:
    """The draft with the marks that hold, each with the part of its passage that supports it.

    A statement stays when one of its marks holds. One without a mark stays when a passage that the
    answer cites supports it, or when it is a short introduction, ending with a colon, of one that
    stays. Beyond `max_citations` passages, marks are left out but their statements stay.
    """
    statements = _statements(draft.text)
    named = {mark for statement in statements for mark in statement.marks if 1 <= mark <= len(passages)}
    evidence = {mark: Evidence(passages[mark - 1]) for mark in named}
    held = [_held(statement, evidence) for statement in statements]
    excerpts: dict[int, str] = {}
    for found in held:
        for mark, excerpt in found.items():
            excerpts.setdefault(mark, excerpt)
    kept = list(excerpts)[:max_citations]
    if not kept:
        return Answer(NOT_FOUND, ())
    parts: list[str] = []
    for statement, found, following in zip(statements, held, [*held[1:], {}], strict=True):
        marks = "".join(f"[{mark}]" for mark in found if mark in kept)
        if found:
            parts.append(f"{statement.text} {marks}{statement.tail}" if marks else statement.text + statement.tail)
        elif not statement.marks and (
            any(evidence[mark].supports(statement.text) for mark in kept) or (following and _introduces(statement.text))
        ):
            parts.append(statement.text)
    return Answer("".join(parts).strip(), tuple(Cited(mark, passages[mark - 1], excerpts[mark]) for mark in kept))


def _held(statement: _Statement, evidence: Mapping[int, Evidence]) -> dict[int, str]:
    """The marks whose passages support the statement, with the excerpts that do."""
    named = [mark for mark in statement.marks if mark in evidence]
    return {mark: evidence[mark].excerpt(statement.text) for mark in named if evidence[mark].supports(statement.text)}


def _introduces(text: str) -> bool:
    return text.rstrip().endswith(":") and not numbers(text) and len(content_words(text)) <= MAX_INTRODUCTION


def _statements(text: str) -> list[_Statement]:
    """The draft cut behind each group of marks and at each end of a sentence."""
    found: list[_Statement] = []
    start = 0
    while first := _MARK.search(text, start):
        marks, end = _group(text, first)
        *before, last = _sentences(text[start : first.start()]) or [""]
        found += map(_Statement, before)
        tail = _TAIL.match(text, end)
        start = tail.end() if tail else end
        # "([1])" loses its brackets; an opening one that stays behind could make a mark with what follows.
        statement = last.rstrip("([\u3010 \t\n")
        closing = text[end:start].removeprefix(")") if last.rstrip().endswith("(") else text[end:start]
        found.append(_Statement(statement, marks, closing))
    return found + [_Statement(sentence) for sentence in _sentences(text[start:])]


def _group(text: str, first: "re.Match[str]") -> tuple[tuple[int, ...], int]:
    """What marks that follow each other directly name, and where they end."""
    matches = [first]
    while (between := _BETWEEN.match(text, matches[-1].end())) and (match := _MARK.match(text, between.end())):
        matches.append(match)
    marks = [mark for match in matches for mark in _named(match.group(1))]
    return tuple(dict.fromkeys(marks)), matches[-1].end()


def _named(marks: str) -> list[int]:
    """The numbers of a list such as 1, 3-5; a range too wide to be meant names its ends."""
    named: list[int] = []
    for match in _RANGE.finditer(marks):
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        named += range(first, last + 1) if first <= last <= first + MAX_RANGE else [first, last]
    return named


def _sentences(text: str) -> list[str]:
    """The sentences, each with the white space before it; those of one quotation stay together."""
    ends = [sentence.end for sentence in sentences(text)]
    found = [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    joined: list[str] = []
    for sentence in found:
        if joined and _opened(joined[-1]):
            joined[-1] += sentence
        else:
            joined.append(sentence)
    return found if joined and _opened(joined[-1]) else joined


def _opened(text: str) -> bool:
    """Whether a quotation begins that does not end."""
    return text.count("\u201c") > text.count("\u201d") or text.count('"') % 2 == 1

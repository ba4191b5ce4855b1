"""Statements of a draft: its sentences, each with the marks [n] that close it, read while the draft is written."""

import re
from dataclasses import dataclass

from modulo.domain.answers.prompt import whole_sentences
from modulo.domain.text.sentences import sentences

MAX_MARK_RANGE = 20

_OPENING, _CLOSING = "[\u3010", "]\u3011"
_LIST = r"\d{1,3}(?:\s?[,;\-\u2013]\s?\d{1,3})*"
_MARK = re.compile(rf"[\[\u3010]\s?(?:passages?\s?)?\^?({_LIST})\s?[\]\u3011]", re.IGNORECASE)
_UNFINISHED_MARK = re.compile(r"[\[\u3010][\spasge^\d,;\-\u2013]*\Z", re.IGNORECASE)
_BETWEEN = re.compile(r"\s?(?:,|;|and|&)?\s?")
_UNFINISHED_AND = ("a", "an")
_TAIL = re.compile(r"[.!?,;:\u2026\u3002\uff01\uff1f\"'\u201d\u2019\u00bb)*_]*")
_RANGE = re.compile(r"(\d+)(?:\s?[\-\u2013]\s?(\d+))?")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a draft, as written, with the marks that close it and the punctuation behind them."""

    text: str
    marks: tuple[int, ...] = ()
    tail: str = ""


class StatementReader:
    """Cuts a draft behind each group of marks and at each end of a sentence; the same however it is fed.

    What stands before a group of marks is cut into sentences when the group is complete, which the next character
    behind it tells.
    """

    def __init__(self) -> None:
        self._text = ""
        self._searched = 0
        """No mark begins before this place."""

    def feed(self, text: str) -> list[Statement]:
        """The statements that are complete with this text."""
        self._text += text
        # A mark is complete with its closing bracket, a group of them with the character behind it.
        return self._complete(ended=False)

    def finish(self, *, cut_short: bool = False) -> list[Statement]:
        """What is left at the end of the draft; without a sentence that does not end where it was cut short."""
        found = self._complete(ended=True)
        rest, self._text = whole_sentences(self._text) if cut_short else self._text, ""
        return found + [Statement(sentence) for sentence in _sentences(rest)]

    def _complete(self, *, ended: bool) -> list[Statement]:
        found: list[Statement] = []
        text, start = self._text, 0
        while first := _MARK.search(text, max(start, self._searched)):
            marks, end = _group(text, first)
            if not (ended or _is_over(text, end)):
                self._searched = first.start()
                break
            tail = _TAIL.match(text, end)
            behind = tail.end() if tail else end
            found += _closed(text[start : first.start()], marks, text[end:behind])
            start = behind
        else:
            opened = max(text.rfind(bracket, self._searched) for bracket in _OPENING)
            closed = max(text.rfind(bracket, self._searched) for bracket in _CLOSING)
            self._searched = opened if opened > closed else len(text)
        self._text, self._searched = text[start:], max(0, self._searched - start)
        return found


def without_marks(text: str) -> str:
    """The text with round brackets in place of those that look like a mark: it cites nothing."""
    return _MARK.sub(r"(\1)", text)


def _closed(text: str, marks: tuple[int, ...], tail: str) -> list[Statement]:
    """The sentences before a group of marks, of which the last is theirs."""
    *before, last = _sentences(text) or [""]
    # "([1])" loses its brackets; an opening one that stays behind could make a mark with what follows.
    statement = last.rstrip("([\u3010 \t\n")
    closing = tail.removeprefix(")") if last.rstrip().endswith("(") else tail
    return [*map(Statement, before), Statement(statement, marks, closing)]


def _group(text: str, first: "re.Match[str]") -> tuple[tuple[int, ...], int]:
    """The passages that adjacent marks cite, and where the marks end."""
    matches = [first]
    while (between := _BETWEEN.match(text, matches[-1].end())) and (match := _MARK.match(text, between.end())):
        matches.append(match)
    marks = [mark for match in matches for mark in _named(match.group(1))]
    return tuple(dict.fromkeys(marks)), matches[-1].end()


def _is_over(text: str, end: int) -> bool:
    """Whether no text to come can add a mark to the group that ends here, or punctuation behind it."""
    tail, between = _TAIL.match(text, end), _BETWEEN.match(text, end)
    if not tail or not between or tail.end() == len(text) or between.end() == len(text):
        return False
    next_mark = between.end()
    return text[next_mark : next_mark + 3] not in _UNFINISHED_AND and not _UNFINISHED_MARK.match(text, next_mark)


def _named(marks: str) -> list[int]:
    """The numbers of a list such as 1, 3-5; a range too wide to be meant names its ends."""
    named: list[int] = []
    for match in _RANGE.finditer(marks):
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        named += range(first, last + 1) if first <= last <= first + MAX_MARK_RANGE else [first, last]
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
    """Whether a quotation is left open."""
    return text.count("\u201c") > text.count("\u201d") or text.count('"') % 2 == 1

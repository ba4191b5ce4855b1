"""Whether a passage supports a statement, as far as words can tell, and which part of it does."""

import re
import unicodedata
from functools import cached_property

from modulo.domain.passage import Passage
from modulo.domain.sentences import Sentence, sentences
from modulo.domain.words import content_words

MAX_EXCERPT = 500
ENOUGH = 0.6
"""The share of a statement's words that its passage must hold."""

_OPENING = '"\u201c\u00ab'
_CLOSING = '"\u201d\u00bb'
_AROUND = " \t\r\n.,;:!?*_()"
_QUOTED = re.compile(r"\"([^\"]{1,2000})\"|\u201c([^\u201d]{1,2000})\u201d|\u00ab([^\u00bb]{1,2000})\u00bb")
_GAP = re.compile(r"\(?(?:\.\.\.|\u2026)\)?|\[(?:\.\.\.|\u2026)\]")
_ITEM = re.compile(r"^\s*(?:[-*+\u2022]|\(?\d{1,3}[.)])\s")
_NUMBER = re.compile(r"(?<![^\W\d_])(?<![\d.,])\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SPACE_BEFORE = re.compile(r" (?=[.,;:!?%)])")
_SIGNS = str.maketrans(
    "\u2018\u2019\u201c\u201d\u00ab\u00bb\u2010\u2011\u2012\u2013\u2014\u2212[]\u3010\u3011", '\'\'""""------()()'
)


class Evidence:
    """A passage prepared for comparison; its document's name, title and headings count as known."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    def supports(self, statement: str) -> bool:
        """Whether quotations stand in the passage word for word, numbers occur in it, and most words do."""
        statement = _ITEM.sub("", statement, count=1)
        words = set(content_words(statement))
        if not words & self._words:
            return False
        whole = _unquoted(statement)
        if whole and self._contains(whole):
            return True
        if not all(self._contains("".join(found)) for found in _QUOTED.findall(statement)):
            return False
        known = self._words | self._context_words
        return numbers(statement) <= self._numbers and len(words & known) >= ENOUGH * len(words)

    def excerpt(self, statement: str) -> str:
        """The sentences of the passage, next to each other, that share most with the statement."""
        words = set(content_words(statement)) | numbers(statement)
        shared = [words & (set(content_words(s.text)) | numbers(s.text)) for s in self._sentences]
        first = last = max(range(len(shared)), key=lambda i: len(shared[i]))
        covered = shared[first]
        while True:
            near = [i for i in (first - 1, last + 1) if 0 <= i < len(shared) and shared[i] - covered]
            near = [i for i in near if len(self._joined(min(first, i), max(last, i))) <= MAX_EXCERPT]
            if not near:
                return self._joined(first, last)[:MAX_EXCERPT].rstrip()
            added = max(near, key=lambda i: len(shared[i] - covered))
            first, last, covered = min(first, added), max(last, added), covered | shared[added]

    @cached_property
    def _sentences(self) -> list[Sentence]:
        return sentences(self._passage.text)

    @cached_property
    def _words(self) -> set[str]:
        return set(content_words(self._passage.text))

    @cached_property
    def _context(self) -> str:
        document = self._passage.document
        return f"{self._passage.hit.chunk.heading}\n{document.name}\n{document.info.title or ''}"

    @cached_property
    def _context_words(self) -> set[str]:
        return set(content_words(self._context))

    @cached_property
    def _numbers(self) -> set[str]:
        return numbers(self._passage.text) | numbers(self._context)

    @cached_property
    def _plain(self) -> str:
        return _plain(self._passage.text)

    def _joined(self, first: int, last: int) -> str:
        return " ".join(self._passage.text[self._sentences[first].start : self._sentences[last].end].split())

    def _contains(self, quotation: str) -> bool:
        """Whether each part of the quotation stands in the passage, one behind the other."""
        at = 0
        for part in filter(None, (_plain(part).strip(_AROUND) for part in _GAP.split(quotation))):
            at = _find(self._plain, part, at)
            if at < 0:
                return False
            at += len(part)
        return True


def numbers(text: str) -> set[str]:
    """The numbers in figures, whatever parts their thousands; 007 is 7."""
    plain = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text))
    return {number.replace(",", ".").lstrip("0") or "0" for number in _NUMBER.findall(plain)}


def _unquoted(statement: str) -> str:
    """What stands between quotation marks that enclose the whole statement; empty where they do not."""
    bare = statement.strip(_AROUND)
    if len(bare) > 2 and bare[0] in _OPENING and bare[-1] in _CLOSING:
        return bare[1:-1]
    return ""


def _plain(text: str) -> str:
    """The text with one form of white space, quotation marks, dashes and brackets, in small letters."""
    plain = " ".join(unicodedata.normalize("NFKC", text).translate(_SIGNS).casefold().split())
    return _SPACE_BEFORE.sub("", plain)


def _find(text: str, wanted: str, start: int) -> int:
    """Where the wanted text begins, not within a word; -1 where it does not occur."""
    at = text.find(wanted, start)
    while at >= 0:
        end = at + len(wanted)
        cut_before = wanted[0].isalnum() and text[max(0, at - 1) : at].isalnum()
        cut_behind = wanted[-1].isalnum() and text[end : end + 1].isalnum()
        if not cut_before and not cut_behind:
            return at
        at = text.find(wanted, at + 1)
    return -1

"""Lexical entailment: whether a passage supports a statement, judged by its words, and which excerpt does."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from modulo.domain.answers.demands import demands_of, holds, stems
from modulo.domain.documents.outline import BETWEEN_HEADINGS
from modulo.domain.retrieval.passage import Passage
from modulo.domain.retrieval.passage_sentences import passage_sentences
from modulo.domain.text.language import language_of
from modulo.domain.text.negation import agrees, clauses
from modulo.domain.text.sentences import Sentence, sentences
from modulo.domain.text.stemming import content_words

MAX_EXCERPT_CHARACTERS = 500
MIN_SHARED_WORDS = 0.6
"""The share of a statement's words that its passage must hold."""

_CLOSING = '"\u201d\u00bb'
_AROUND = " \t\r\n.,;:!?*_()"
_MARKS = {'"': '"', "\u201c": "\u201d", "\u00ab": "\u00bb"}
_MARK = re.compile('["\u201c\u00ab]')
_MAX_QUOTATION_CHARACTERS = 2_000
_GAP = re.compile(r"\(?(?:\.\.\.|\u2026)\)?|\[(?:\.\.\.|\u2026)\]")
_ITEM = re.compile(r"^\s*(?:[-*+\u2022]|\(?\d{1,3}[.)])\s")
_WORD = re.compile(r"\S+")
_NUMBER = re.compile(r"(?<![^\W\d_])(?<![\d.,])\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SPOKEN = re.compile(r"[^\W_]+")
_SPACE_BEFORE = re.compile(r" (?=[.,;:!?%)])")
_SIGNS = str.maketrans(
    "\u2018\u2019\u201c\u201d\u00ab\u00bb\u2010\u2011\u2012\u2013\u2014\u2212[]\u3010\u3011", '\'\'""""------()()'
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a passage with its white space made single; its offsets are those of the page's text."""

    text: str
    start: int
    end: int


class Evidence:
    """A passage prepared for comparison; its document's name, title and headings count as known."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    def supports(self, statement: str) -> bool:
        """Whether the passage contains the statement's quotations verbatim, its numbers, and most of its words."""
        statement = _ITEM.sub("", statement, count=1)
        words = set(content_words(statement))
        if not words & self._words:
            return False
        heading, whole = _heading_and_quotation(statement)
        if whole and self._contains(whole) and (not heading or self._stands_above(heading)):
            return True
        if not all(self._contains(quotation) for quotation in quotations(statement)):
            return False
        known = self._words | self._context_words
        if not (numbers_in(statement) <= self._numbers and len(words & known) >= MIN_SHARED_WORDS * len(words)):
            return False
        # German writes all nouns like names.
        names = demands_of(statement, names=language_of(statement) != "de").names
        return holds(names, self._stems) and agrees(statement, self._clauses)

    def excerpt(self, statement: str) -> Excerpt:
        """The adjacent sentences of the passage that share most words with the statement; none of an empty passage."""
        if not self._sentences:
            return Excerpt("", self._passage.hit.chunk.start, self._passage.hit.chunk.start)
        words = set(content_words(statement)) | numbers_in(statement)
        shared = [words & (set(content_words(s.text)) | numbers_in(s.text)) for s in self._sentences]
        first = last = max(range(len(shared)), key=lambda i: len(shared[i]))
        covered = shared[first]
        while True:
            near = [i for i in (first - 1, last + 1) if 0 <= i < len(shared) and shared[i] - covered]
            near = [i for i in near if len(self._joined(min(first, i), max(last, i))) <= MAX_EXCERPT_CHARACTERS]
            if not near:
                return self._excerpt(first, last)
            added = max(near, key=lambda i: len(shared[i] - covered))
            first, last, covered = min(first, added), max(last, added), covered | shared[added]

    def _excerpt(self, first: int, last: int) -> Excerpt:
        chunk, start, end = self._passage.hit.chunk, self._sentences[first].start, self._sentences[last].end
        text = self._joined(first, last)
        if len(text) > MAX_EXCERPT_CHARACTERS:
            text = text[:MAX_EXCERPT_CHARACTERS].rstrip()
            end = start + _length_of(self._passage.text[start:end], words=len(text.split()), last=text.split()[-1])
        return Excerpt(text, chunk.in_page(start), chunk.in_page(end))

    @cached_property
    def _headings(self) -> frozenset[str]:
        title, path = self._passage.document.info.title or "", self._passage.hit.chunk.heading
        within = (one for part in passage_sentences(self._passage.text, path) for one in part.headings)
        return frozenset(map(_spoken, (title, *path.split(BETWEEN_HEADINGS), *within)))

    @cached_property
    def _clauses(self) -> list[str]:
        return [clause for sentence in self._sentences for clause in clauses(sentence.text)]

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(stems(f"{self._context}\n{self._passage.text}"))

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
        return numbers_in(self._passage.text) | numbers_in(self._context)

    @cached_property
    def _plain(self) -> str:
        return _plain(self._passage.text)

    def _joined(self, first: int, last: int) -> str:
        return " ".join(self._passage.text[self._sentences[first].start : self._sentences[last].end].split())

    def _stands_above(self, heading: str) -> bool:
        """Whether it is, but for its punctuation, the title or a heading above or within the passage."""
        return _spoken(heading) in self._headings

    def _contains(self, quotation: str) -> bool:
        """Whether the passage contains the parts of the quotation in their order."""
        at = 0
        for part in filter(None, (_plain(part).strip(_AROUND) for part in _GAP.split(quotation))):
            at = _find(self._plain, part, at)
            if at < 0:
                return False
            at += len(part)
        return True


def _length_of(text: str, *, words: int, last: str) -> int:
    """The length of the text up to its first words, the last of which may be cut."""
    match = next(islice(_WORD.finditer(text), words - 1, None))
    return match.start() + len(last)


def quotations(text: str) -> Iterator[str]:
    """What stands between quotation marks, each at most 2,000 characters long; in time linear in the text."""
    at = 0
    while mark := _MARK.search(text, at):
        at = mark.end()
        end = text.find(_MARKS[mark[0]], at, at + _MAX_QUOTATION_CHARACTERS + 1)
        if end > at:
            yield text[at:end]
            at = end + 1


def numbers_in(text: str) -> set[str]:
    """The numbers written in digits, without thousands separators and leading zeros."""
    plain = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text))
    return {number.replace(",", ".").lstrip("0") or "0" for number in _NUMBER.findall(plain)}


def _heading_and_quotation(statement: str) -> tuple[str, str]:
    """What is quoted, where nothing else is said but a heading above it, and that heading; else no quotation."""
    bare = statement.strip(_AROUND)
    opening = _MARK.search(bare)
    if not opening or bare[-1] not in _CLOSING:
        return "", ""
    heading = bare[: opening.start()].rstrip()
    return (heading, bare[opening.end() : -1]) if not heading or heading.endswith(":") else ("", "")


def _spoken(text: str) -> str:
    """The words of a text, single spaces between them, and nothing else of it."""
    return " ".join(_SPOKEN.findall(_plain(text)))


def _plain(text: str) -> str:
    """The text in lower case, with white space, quotation marks, dashes and brackets normalised."""
    plain = " ".join(unicodedata.normalize("NFKC", text).translate(_SIGNS).casefold().split())
    return _SPACE_BEFORE.sub("", plain)


def _find(text: str, wanted: str, start: int) -> int:
    """The position of the wanted text at word boundaries; -1 where it does not occur."""
    at = text.find(wanted, start)
    while at >= 0:
        end = at + len(wanted)
        cut_before = wanted[0].isalnum() and text[max(0, at - 1) : at].isalnum()
        cut_behind = wanted[-1].isalnum() and text[end : end + 1].isalnum()
        if not cut_before and not cut_behind:
            return at
        at = text.find(wanted, at + 1)
    return -1

"""Passages cut into sentences, list items and table rows, each with what stands above it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from modulo.domain.documents.outline import BETWEEN_HEADINGS
from modulo.domain.text.sentences import Sentence, sentences
from modulo.domain.text.table_rows import CELL, cells, column_names, ends_group, header_rows, is_row, names_group

MAX_HEADING_WORDS = 12
MAX_LIST_WORDS = 120

_BULLET = re.compile(r"(?:[-*+\u2022\u25e6\u25aa\u2023\u00b7\u2013\u2014]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s")
_HASHES = re.compile(r"#{1,6}\s")
_DIGITS = re.compile(r"\d+")
_NUMBERED = re.compile(r"[^\W\d]{0,9}\W{0,2}\d[\d.]*")
_ENDINGS = (".", "!", "?", ":", ";", ",", "\u3002", "\uff1a", "\u2026")
_LEAD_INS = (":", "\uff1a")
_ASKS = ("?", "\uff1f")
_SENTENCE_ENDS = (".", "!", "\u3002")
_EMPTY_CELLS = " |\t"


@dataclass(frozen=True, slots=True)
class PassageSentence:
    """A sentence, item or row.

    `text` is the passage's text from `start` to `end` with its white space made single. `headings` are those above it
    within the passage and, before them, the passage's own. `lead` is what introduces it: the question that it answers,
    the line with a colon, or a table's caption. A row has its table's header rows and the row that names its group.
    """

    text: str
    start: int
    end: int
    headings: tuple[str, ...] = ()
    lead: str = ""
    header: tuple[str, ...] = ()
    group: str = ""
    is_list: bool = False
    """Whether it is several items of a list."""

    @property
    def is_row(self) -> bool:
        """Whether it is a row of a table."""
        return bool(self.header)

    @property
    def above(self) -> str:
        """All that stands above it, a line each."""
        return "\n".join(filter(None, (*self.headings, self.lead, *self.header, self.group)))

    @property
    def spelled_out(self) -> str:
        """The text; of a row, each filled cell with the name of its column, which models understand better."""
        if not self.header:
            return self.text
        values, columns = cells(self.text), column_names(self.header)
        if len(values) != len(columns):
            return "\n".join((*self.header, self.text))
        named = (f"{column}: {cell}" if column else cell for column, cell in zip(columns, values, strict=True) if cell)
        return "; ".join(filter(None, (self.group.replace(CELL, " ").strip(" |"), *named)))


def sections(found: Sequence[PassageSentence]) -> list[list[PassageSentence]]:
    """The sentences by what they stand below: the same headings or, in a list of questions, the same question."""
    kept: list[list[PassageSentence]] = []
    for one in found:
        last = kept[-1][-1] if kept else None
        answers = one.lead.endswith(_ASKS) and (last is None or one.lead != last.lead)
        if last is None or answers or one.headings != last.headings:
            kept.append([])
        kept[-1].append(one)
    return kept


def lists(found: Sequence[PassageSentence]) -> Iterator[PassageSentence]:
    """The lists among sentences that no line with a colon introduces, each as one; a long one is cut."""
    items: list[PassageSentence] = []
    for one in (*found, None):
        if items and not (one and _goes_on(items[-1], one)):
            if len(items) > 1:
                yield _listed(items)
            items = []
        if one and _BULLET.match(one.text) and not one.is_row and not one.lead.endswith(_LEAD_INS):
            items.append(one)


def _goes_on(last: PassageSentence, one: PassageSentence) -> bool:
    return bool(_BULLET.match(one.text)) and (one.headings, one.lead, one.is_row) == (last.headings, last.lead, False)


def _listed(items: Sequence[PassageSentence]) -> PassageSentence:
    texts: list[str] = []
    room = MAX_LIST_WORDS
    for item in items:
        room -= len(item.text.split())
        if texts and room < 0:
            texts.append("\u2026")
            break
        texts.append(item.text)
    return replace(items[0], text=" ".join(texts), end=items[-1].end, is_list=True)


def passage_sentences(text: str, heading: str = "") -> list[PassageSentence]:
    """The sentences in order, without headings, header rows and the questions that others answer."""
    return list(_Reader(text, heading).read())


class _Reader:
    """Reads one passage."""

    def __init__(self, text: str, heading: str) -> None:
        self._text = text
        self._sentences = sentences(text)
        self._own = tuple(filter(None, heading.split(BETWEEN_HEADINGS))) if heading else ()
        self._inner: list[str] = []
        self._fresh = False  # whether the last that was read is a heading
        self._lead = ""
        self._lead_end = 0
        self._listed = False  # whether what was introduced last is an item of a list

    def read(self) -> Iterator[PassageSentence]:
        """All of them."""
        at = 0
        while at < len(self._sentences):
            this = self._sentences[at]
            if is_row(this.text):
                end = self._table_end(at)
                yield from self._rows(self._sentences[at:end])
                at = end
                continue
            at += 1
            if self._is_heading(at - 1):
                self._enter(this.text)
                continue
            self._fresh = False
            yield from self._sentence(this)

    def _sentence(self, this: Sentence) -> Iterator[PassageSentence]:
        lead = self._lead if self._introduces(this) else ""
        self._listed = bool(lead and _BULLET.match(this.text))
        asks, opens = this.text.endswith(_ASKS), this.text.endswith(_LEAD_INS)
        if not asks:
            yield PassageSentence(this.text, this.start, this.end, self._headings, lead)
        if asks or opens:
            self._lead, self._lead_end = this.text, this.end
        elif self._listed:
            self._lead_end = this.end
        else:
            self._lead = ""

    @property
    def _headings(self) -> tuple[str, ...]:
        return (*self._own, *self._inner)

    def _introduces(self, this: Sentence) -> bool:
        """Whether what introduces something introduces this: nothing but a line or two lies between."""
        if self._listed and not _BULLET.match(this.text):
            return False  # a list has ended
        return bool(self._lead) and self._text[self._lead_end : this.start].count("\n") <= 3

    def _is_heading(self, at: int) -> bool:
        this = self._sentences[at]
        if _HASHES.match(this.text):
            return True
        if at + 1 == len(self._sentences) or this.text.endswith(_ENDINGS) or len(this.text.split()) > MAX_HEADING_WORDS:
            return False
        before = self._text[self._sentences[at - 1].end : this.start] if at else "\n\n"
        behind = self._text[this.end : self._sentences[at + 1].start]
        if "\n" in self._text[this.start : this.end] or "\n" not in before or "\n" not in behind:
            return False
        if _BULLET.match(this.text) and not _DIGITS.match(this.text):
            return False
        apart = before.count("\n") > 1 and behind.count("\n") > 1
        return apart or this.text.isupper()

    def _enter(self, heading: str) -> None:
        """Go below a heading.

        It ends the one above it that has its form, such as "1.2" after "1.1". Otherwise one directly below another is
        within it, and one below text ends the innermost.
        """
        heading = _HASHES.sub("", heading)
        forms = [_form(one) for one in self._inner]
        if _form(heading) in forms:
            del self._inner[forms.index(_form(heading)) :]
        elif not self._fresh:
            del self._inner[-1:]
        self._inner.append(heading)
        self._fresh, self._lead = True, ""

    def _table_end(self, at: int) -> int:
        """Behind the last row of the table that begins there."""
        end = at + 1
        while end < len(self._sentences) and is_row(self._sentences[end].text):
            if self._text[self._sentences[end - 1].end : self._sentences[end].start].count("\n") > 1:
                break
            end += 1
        return end

    def _rows(self, rows: Sequence[Sentence]) -> Iterator[PassageSentence]:
        self._fresh = False
        caption = self._lead if self._introduces(rows[0]) else self._caption(rows[0])
        headers = header_rows([row.text for row in rows])
        header = tuple(row.text for row in rows[:headers])
        group, notes = "", _notes(rows[headers:])
        for at, row in enumerate(rows[headers:]):
            if at in notes:
                text, end = cells(row.text)[0], row.start + len(self._text[row.start : row.end].rstrip(_EMPTY_CELLS))
                yield PassageSentence(text, row.start, end, self._headings, caption)
                continue
            if names_group(row.text):
                group = row.text
                continue
            yield PassageSentence(row.text, row.start, row.end, self._headings, caption, header, group)
            if ends_group(row.text):
                group = ""
        self._lead = ""

    def _caption(self, row: Sentence) -> str:
        """The line right above a table."""
        at = self._sentences.index(row)
        above = self._sentences[at - 1] if at else None
        return above.text if above and self._text[above.end : row.start].count("\n") <= 2 else ""


def _notes(rows: Sequence[Sentence]) -> frozenset[int]:
    """Which rows are notes: nothing but a first cell, which is a whole sentence, or has no row below that it names."""
    found, named = set[int](), False
    for at in range(len(rows) - 1, -1, -1):
        alone = names_group(rows[at].text)
        if alone and (not named or cells(rows[at].text)[0].endswith(_SENTENCE_ENDS)):
            found.add(at)
        named = named or not alone
    return frozenset(found)


def _form(heading: str) -> str:
    """Its number without figures, or all of it where it has none in front."""
    number = _NUMBERED.match(heading)
    return _DIGITS.sub("0", number[0] if number else heading)

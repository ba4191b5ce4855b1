"""Measures how well a document could be read, page by page."""

import re
from dataclasses import dataclass, field

from modulo.domain.documents.document import BlockKind, Page
from modulo.domain.files.reading import MAX_WARNED_PAGES, UNMAPPED_SHARE, Reading, ReadingWarning, WarningCode, share

_ODD = re.compile(
    "[\ufffd\ue000-\uf8ff\x80-\x9f]"
    # UTF-8 that was read as Windows-1252: the pairs that letters with accents come to.
    "|[\u00c2-\u00f4][\u0080-\u00bf\u20ac\u201a\u0192\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]"
    # Another alphabet that was read as Latin-1.
    "|[\u00a1-\u00ff]{5,}"
)
_UNSPACED = 0x2E80  # from here on are scripts in which a sign may be a word
_APART_SHARE, _APART_WORDS = 0.35, 12
_ODD_SHARE, _ODD_CHARACTERS = 0.02, 5


@dataclass(slots=True)
class ReadingGauge:
    """Takes the pages of a document one by one; words count only in a `natural_language`."""

    natural_language: bool = True
    pages: int = 0
    words: int = 0
    letters: int = 0
    characters: int = 0
    odd: int = 0
    without_text: int = 0
    unread_fields: int = 0
    unmapped: float = 0.0
    warned: dict[WarningCode, list[int]] = field(default_factory=dict)

    def add(self, page: Page) -> None:
        """Take a page into account."""
        self.pages += 1
        self.unmapped += page.unmapped
        self.unread_fields += page.unread_fields
        if page.unread_fields:
            self._warn(WarningCode.unread_fields, page)
        if not page.blocks:
            self.without_text += 1
            if page.unmapped >= UNMAPPED_SHARE:
                self._warn(WarningCode.unknown_glyphs, page)
            elif page.scanned:
                self._warn(WarningCode.pages_without_text, page)
            return
        self._add_words(page)
        self._add_characters(page)

    def _add_words(self, page: Page) -> None:
        if not self.natural_language:
            return
        words = letters = 0
        for block in page.blocks:
            if block.kind is not BlockKind.table:
                found = block.text.split()
                words += len(found)
                alone = [word for word in found if len(word) == 1]
                letters += sum(word.isalpha() and ord(word) < _UNSPACED for word in alone)
        self.words += words
        self.letters += letters
        if letters >= _APART_SHARE * words and words >= _APART_WORDS:
            self._warn(WarningCode.letters_apart, page)

    def _add_characters(self, page: Page) -> None:
        characters = odd = 0
        for block in page.blocks:
            characters += len(block.text)
            if not block.text.isascii():
                odd += sum(len(found) for found in _ODD.findall(block.text))
        self.characters += characters
        self.odd += odd
        if odd >= max(_ODD_CHARACTERS, _ODD_SHARE * characters):
            self._warn(WarningCode.odd_characters, page)

    def _warn(self, code: WarningCode, page: Page) -> None:
        pages = self.warned.setdefault(code, [])
        if len(pages) <= MAX_WARNED_PAGES:
            pages.append(page.number)

    @property
    def reading(self) -> Reading:
        """The signs of all pages so far."""
        return Reading(
            words=self.words,
            one_letter_words=share(self.letters, self.words),
            characters=self.characters,
            odd_characters=share(self.odd, self.characters),
            pages_without_text=self.without_text,
            unread_fields=self.unread_fields,
            unmapped_glyphs=share(self.unmapped, self.pages),
        )

    @property
    def warnings(self) -> tuple[ReadingWarning, ...]:
        """What the uploader is to know."""
        return tuple(ReadingWarning.about(code, pages) for code, pages in self.warned.items())

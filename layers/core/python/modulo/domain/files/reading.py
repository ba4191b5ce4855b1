"""How well a file could be read: signs of garbled text, and what its uploader is warned of."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from pydantic import Field

from modulo.domain.model import FrozenModel

MAX_WARNED_PAGES = 100
_GARBAGE_APART, _GARBAGE_ODD, _GARBAGE_WORDS = 0.8, 0.5, 30
UNMAPPED_SHARE = 0.5


class WarningCode(StrEnum):
    """What is wrong with the text of some pages."""

    letters_apart = "letters-apart"
    odd_characters = "odd-characters"
    unknown_glyphs = "unknown-glyphs"
    pages_without_text = "pages-without-text"
    unread_fields = "unread-fields"


_ADVICE = {
    WarningCode.letters_apart: "most words fell apart into single letters, so searches do not find them. "
    "Export the document again from the program it was made with, and upload that.",
    WarningCode.odd_characters: "many characters could not be decoded, so searches miss the words they stand in. "
    "Save the file as UTF-8, or export it again from its own program, and upload that.",
    WarningCode.unknown_glyphs: "the fonts do not say which characters they show, so the text was left out. "
    "Print the document to a new PDF or run text recognition on it, and upload that.",
    WarningCode.pages_without_text: "there is only a picture, so searches find nothing there. "
    "Run text recognition on the file and upload that.",
    WarningCode.unread_fields: "form fields hold values that could not be read. "
    "Print the filled form to a new PDF and upload that.",
}


class ReadingWarning(FrozenModel):
    """What is wrong with the text of a file that is ready all the same."""

    code: WarningCode
    pages: tuple[int, ...] = Field(description="the first 100 pages it is about")
    detail: str = Field(description="which pages, why, and what to do")

    @classmethod
    def about(cls, code: WarningCode, pages: Sequence[int]) -> "ReadingWarning":
        """The warning about some pages."""
        return cls(code=code, pages=tuple(pages[:MAX_WARNED_PAGES]), detail=f"On {_listed(pages)} {_ADVICE[code]}")


class Reading(FrozenModel):
    """Signs of how well a file could be read; shares are from 0 to 1."""

    words: int
    one_letter_words: float = Field(description="share of the words of running text that are a single letter")
    characters: int
    odd_characters: float = Field(description="share of replacement characters and of those that no language has")
    pages_without_text: int
    unread_fields: int = Field(description="form fields whose values could not be read")
    unmapped_glyphs: float = Field(description="share of glyphs whose font does not say which character they show")

    @property
    def is_garbage(self) -> bool:
        """Whether nearly all of the text is."""
        apart = self.words >= _GARBAGE_WORDS and self.one_letter_words >= _GARBAGE_APART
        return apart or (self.characters >= _GARBAGE_WORDS and self.odd_characters >= _GARBAGE_ODD)

    @property
    def is_unmapped(self) -> bool:
        """Whether the fonts of most glyphs do not say which characters they show."""
        return self.unmapped_glyphs >= UNMAPPED_SHARE

    @classmethod
    def together(cls, parts: Iterable["Reading"]) -> "Reading | None":
        """The reading of a document from those of its parts."""
        found = list(parts)
        if not found:
            return None
        words = sum(part.words for part in found)
        characters = sum(part.characters for part in found)
        return cls(
            words=words,
            one_letter_words=share(sum(part.one_letter_words * part.words for part in found), words),
            characters=characters,
            odd_characters=share(sum(part.odd_characters * part.characters for part in found), characters),
            pages_without_text=sum(part.pages_without_text for part in found),
            unread_fields=sum(part.unread_fields for part in found),
            unmapped_glyphs=share(sum(part.unmapped_glyphs for part in found), len(found)),
        )


def merged_warnings(warnings: Iterable[ReadingWarning]) -> tuple[ReadingWarning, ...]:
    """The warnings of a document from those of its parts: one of each kind."""
    pages: dict[WarningCode, list[int]] = {}
    for warning in warnings:
        pages.setdefault(warning.code, []).extend(warning.pages)
    return tuple(ReadingWarning.about(code, found) for code, found in pages.items())


def share(part: float, whole: int) -> float:
    """A part of a whole, rounded; 0 where there is nothing."""
    return round(part / whole, 3) if whole else 0.0


def _listed(pages: Sequence[int]) -> str:
    """Page numbers as people write them: "page 3", "pages 1, 4 to 7 and others"."""
    spans: list[tuple[int, int]] = []
    for page in pages[:MAX_WARNED_PAGES]:
        if spans and page == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], page)
        else:
            spans.append((page, page))
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in spans]
    others = " and others" if len(pages) > MAX_WARNED_PAGES else ""
    return f"page {texts[0]}" if len(pages) == 1 else f"pages {', '.join(texts)}{others}"

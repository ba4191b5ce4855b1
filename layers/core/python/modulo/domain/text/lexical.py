"""Lexical analysis: the terms by which words find a text, the same for a stored text and for a question.

A text is folded to one form of each letter and cut into words, and a word makes one term or several: its stem; a code
whole and in parts; a number in one spelling; pairs of characters in scripts that write no spaces (Manning, Raghavan and
Schütze, "Introduction to Information Retrieval", chapter 2). It takes linear time.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from modulo.domain.text.stop_words import STOP_WORDS

MAX_TERM_CHARACTERS = 64
"""Longer terms are cut."""
MAX_PARTS = 12
"""Of a word with more parts, such as a long path, only the parts are terms."""
_JOINERS = "-._/:+#@&',%"
_LETTERS = str.maketrans(
    {"\u2019": "'", "\u2010": "-", "\u2011": "-", "\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u00e6": "ae"}
    | {"\u0153": "oe", "\u0131": "i", "\u00fe": "th", "\u0623": "\u0627", "\u0625": "\u0627", "\u0622": "\u0627"}
    | {"\u0649": "\u064a", "\u0629": "\u0647", "\u0640": ""}
    | dict(zip(_JOINERS, _JOINERS, strict=True))
)
"""Joiners, and letters that their decomposition does not fold."""
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff]+)"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese and Korean: spaces do not tell words, or not alone."""
_RUN = re.compile("[0-9]+|[^0-9]+")
_HUMP = re.compile("(?<=[a-z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(f"[{re.escape(_JOINERS)}]+")
_SIGNED = re.compile(r"[a-z]{1,3}(?:\+\+|#)|\.[a-z]{2,}")
"""C++, C#, .NET."""
_NUMBER = re.compile("[0-9]+(?:[.,][0-9]+)*")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_GROUPED_BY_DOTS = re.compile(r"[0-9]{1,3}(?:(?:\.[0-9]{3})+,[0-9]+|(?:\.[0-9]{3}){2,})")
_MOST_FOLDED = 65_536


class _Folding(dict[int, str]):
    """What each character becomes, found when it first occurs."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if len(self) < _MOST_FOLDED:
            self[code] = folded
        return folded


def _folded(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Cf" or (category == "Mn" and character < "\u0900"):
        return ""  # what is not seen, a loose accent, a vowel point of Hebrew or Arabic
    if category[0] not in "LNM":
        return " "
    if character < "\u0400" or "\u1e00" <= character < "\u2000":
        return "".join(one for one in unicodedata.normalize("NFD", character) if not unicodedata.combining(one))
    return character


_FOLDING = _Folding(_LETTERS)


def fold(text: str) -> str:
    """The text in lower case, without accents, with a space for what is neither in a word nor joins its parts."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold().translate(_FOLDING))


@dataclass(frozen=True, slots=True)
class Analysis:
    """The analysis of texts in a language, an ISO 639-1 code; `stem` makes stems of words in it."""

    language: str
    stem: Callable[[str], str]

    def terms(self, text: str) -> list[str]:
        """The terms of a text, in order, as often as they occur."""
        words = fold(_HUMP.sub("-", text)).split()
        return [term[:MAX_TERM_CHARACTERS] for word in words for term in self._terms_of(word) if term]

    def _terms_of(self, word: str) -> list[str]:
        """The terms of what stands between two spaces."""
        if word.isascii() and word.isalpha():  # most words
            return self._word(word)
        if signed := _SIGNED.fullmatch(word.rstrip(".,:'/&@")):
            return [signed.group(), *self._terms_of(word.strip(_JOINERS))]
        word = word.strip(_JOINERS)
        if _NUMBER.fullmatch(word):
            return _number(word)
        if word[:1] == "v" and _NUMBER.fullmatch(word, 1):
            return [word, *_number(word[1:])]
        parts = [part for part in _SEPARATORS.split(word) if part]
        found = [term for part in parts for term in self._part(part)]
        if 1 < len(parts) <= MAX_PARTS and not {"/", "'"} & set(word):
            whole = _joined(parts)
            found += self._word(whole) if whole.isalpha() else [whole]
        return found

    def _part(self, part: str) -> list[str]:
        """The terms of letters and digits without a separator between them."""
        found: list[str] = []
        for at, run in enumerate(_UNSPACED.split(part)):
            if at % 2:
                found += ["".join(pair) for pair in pairwise(run)] or [run]
            elif run:
                found += self._code(run)
        return found

    def _code(self, run: str) -> list[str]:
        pieces = _RUN.findall(run)
        if len(pieces) == 1:
            return [_whole(run)] if run[0].isdigit() else self._word(run)
        return [run, *(_whole(piece) for piece in pieces if piece[0].isdigit() or len(piece) > 1)]

    def _word(self, word: str) -> list[str]:
        return [] if word in STOP_WORDS.get(self.language, ()) else [self.stem(word)]


def _number(text: str) -> list[str]:
    """1,000.50 and 1.000,5 as 1000.5; a version or date from its longest to its shortest beginning: 3.11.2, 3.11."""
    if _GROUPED.fullmatch(text):
        return [_decimal(*text.replace(",", "").partition(".")[::2])]
    if _GROUPED_BY_DOTS.fullmatch(text):
        return [_decimal(*text.replace(".", "").partition(",")[::2])]
    parts = [_whole(part) for part in re.split("[.,]", text)]
    if len(parts) == 2:
        return [_decimal(*re.split("[.,]", text))]
    return [".".join(parts[:end]) for end in range(len(parts), min(2, len(parts)) - 1, -1)][:MAX_PARTS]


def _decimal(whole: str, fraction: str) -> str:
    fraction = fraction.rstrip("0")
    return f"{_whole(whole)}.{fraction}" if fraction else _whole(whole)


def _whole(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _joined(parts: Iterable[str]) -> str:
    """A code whole, however its parts are separated: AB1077 for AB-1077, with dots between numbers."""
    whole = ""
    for part in parts:
        whole += f".{part}" if whole[-1:].isdigit() and part[0].isdigit() else part
    return whole

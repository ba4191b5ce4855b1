"""Stemming: the words by which two texts are compared, case-folded, without endings and stop words."""

import re
import unicodedata
from collections.abc import Set
from itertools import pairwise

from modulo.domain.text.word_set import word_set

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W\d_]+)?")
# Scripts without white space between words are compared by pairs of characters.
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_ENDINGS = ("ations", "ation", "ingly", "edly", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "y", "e")
_MIN_STEM_CHARACTERS = 3
_STOP_WORDS = word_set(
    "a about after again ain all also am an and any are aren as at be because been before being between both but by "
    "can could couldn did didn do does doesn doing don during each few for from further had hadn has hasn have haven "
    "having he her here hers him his how i if in into is isn it its itself just may me might more most must my no nor "
    "not of off on once only or other our ours out over own same she should shouldn so some such than that the their "
    "theirs them then there these they this those through to too under until up upon us very was wasn we were weren "
    "what when where which while who whom whose why will with would wouldn you your yours"
)


def content_words(text: str) -> list[str]:
    """The stems of the words that are no stop words, in order."""
    found: list[str] = []
    for match in _WORD.finditer(_folded(text)):
        word = re.split(r"['\u2019]", match.group())[0]
        if _EAST_ASIAN.search(word):
            found += ["".join(pair) for pair in pairwise(word)] or [word]
        elif word not in _STOP_WORDS:
            found.append(_stem(word))
    return found


def held(stems: Set[str], text: str) -> Set[str]:
    """Which of these content words the text holds: only words that begin like one of them are stemmed."""
    beginnings = tuple(stem[:_MIN_STEM_CHARACTERS] for stem in stems)
    words = {word for word in _WORD.findall(_folded(text)) if not word.isascii() or word.startswith(beginnings)}
    return stems & {stem for word in words for stem in content_words(word)}


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM_CHARACTERS:
            return word.removesuffix(ending)
    return word

"""Estimates of token counts, without a vocabulary and so for every model.

Words are weighed by length, as measured with the word pieces of bge-small; other scripts by character. Weights are
tenths of a token, so that those of parts add up to the whole's.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

WEIGHT_PER_TOKEN = 10


class Rate(Enum):
    """Whether a text in the Latin alphabet is English: vocabularies hold many more English words."""

    english = "english"
    other = "other"


def _table(first: tuple[int, ...], step: int) -> tuple[int, ...]:
    """Weights by word length: the given ones, then `step` more for each letter."""
    return (0, *first, *(first[-1] + step * n for n in range(1, _LONG - len(first) + 1)))


_LONG = 30  # longer words are no words: random letters, seven tenths of a token each
_PER_LETTER = 7
_WORDS: Mapping[Rate, tuple[int, ...]] = {
    Rate.english: _table((10, 11, 11, 11, 11, 13, 13, 14, 16, 18, 20, 22, 25, 30, 36, 46), 6),
    Rate.other: _table((10, 11, 14, 19, 20, 23, 26, 30, 34, 38, 41, 44, 47, 51, 54, 59), 5),
}
_ACCENTED = _table((10, 14, 19, 22, 27, 31, 35, 39, 43, 47, 50, 54, 58, 61, 65, 69), 4)
_DIGITS = _table((10, 11, 16, 15, 27, 33), 6)

_ASCII_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # a hump of camelCase is a word of its own
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_DIGIT_RUN = re.compile(r"[0-9]+")
_HANGUL = re.compile(r"[\uac00-\ud7a3]+")
_BEYOND_BMP = re.compile(r"[\U00010000-\U0010ffff]+")
_SPACE = re.compile(r"\s+")

_ENGLISH_WORDS = "the of and to in is that for it as was with be by on are this at from or an have which"
_OTHER_WORDS = """
    der die und das ist nicht mit von den zu dem ein eine auf sich des im wird werden bei oder le la les et est
    une pour que qui dans du au sur pas avec el los y en por con una se del las il di che un non sono della
    o da em um uma não com na het een van niet op te dat zijn voor och att det som är på og til af ikke
    nie w z jest że na się bir ve bu için ja ei sitä ovat az és hogy nem je že și cu nu pe
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_OTHER = frozenset(_OTHER_WORDS.split())
_SAMPLE = 20_000
_FEW = 16  # words that are summed up faster than counted


def estimate(text: str, rate: Rate | None = None) -> int:
    """The estimated number of tokens; `rate` is that of the surrounding text, by default the text's own."""
    return -(-weigh(text, rate or rate_of(text)) // WEIGHT_PER_TOKEN)


def rate_of(text: str) -> Rate:
    """The rate of the language of most of the text, determined by its function words."""
    words = Counter(re.findall(r"[^\W\d_]+", text[:_SAMPLE].lower()))
    english = sum(words[word] for word in _ENGLISH)
    other = sum(words[word] for word in _OTHER)
    return Rate.other if other > english else Rate.english


def weigh(text: str, rate: Rate) -> int:
    """The text's weight in tenths of a token; parts split between words weigh as much as the whole."""
    if text.isascii():
        return _weigh_ascii(text, rate)
    latin = _LATIN_WORD.findall(text)
    accented = [word for word in latin if not word.isascii()]
    digits = _DIGIT_RUN.findall(text)
    weight = _by_length(accented, _ACCENTED)
    weight += _by_length(_ASCII_WORD.findall(" ".join(word for word in latin if word.isascii())), _WORDS[rate])
    weight += _by_length(digits, _DIGITS)
    rest = len(text) - _length(latin) - _length(digits) - _length(_SPACE.findall(text))
    # A Hangul syllable is two letters; what lies beyond the basic plane is seldom in a vocabulary.
    return weight + WEIGHT_PER_TOKEN * (rest + _length(_HANGUL.findall(text)) + _length(_BEYOND_BMP.findall(text)))


def _weigh_ascii(text: str, rate: Rate) -> int:
    words = _ASCII_WORD.findall(text)
    digits = _DIGIT_RUN.findall(text)
    rest = len(text) - _length(words) - _length(digits) - _length(_SPACE.findall(text))
    return _by_length(words, _WORDS[rate]) + _by_length(digits, _DIGITS) + WEIGHT_PER_TOKEN * rest


def _length(parts: Iterable[str]) -> int:
    return sum(map(len, parts))


def _by_length(words: Sequence[str], weights: tuple[int, ...]) -> int:
    lengths = Counter(map(len, words)).items() if len(words) > _FEW else ((len(word), 1) for word in words)
    return sum(count * (weights[length] if length <= _LONG else length * _PER_LETTER) for length, count in lengths)

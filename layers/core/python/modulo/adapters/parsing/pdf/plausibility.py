"""Whether text is in some language, or the numbers of a font's glyphs."""

import re

from modulo.domain.text.language import language_of

_MAX_CHARACTERS = 4_000
_FEWEST_LETTERS = 20
_LETTERS = re.compile(r"[^\W\d_]+")
_VOWELS = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœ")
_LONGEST_WORD = 20
_VOWEL_SHARE = 0.17


def is_language(text: str, *, if_short: bool) -> bool:
    """Whether most of a text is words; `if_short` is the answer where it is too short to tell."""
    sample = text[:_MAX_CHARACTERS]
    if sum(map(str.isalpha, sample)) < _FEWEST_LETTERS:
        return if_short
    if language_of(sample):
        return True
    words = [word for word in sample.split() if any(map(str.isalpha, word))]
    likely = sum(len(word) for word in words if _is_likely(word))
    return likely * 2 >= sum(map(len, words))


def _is_likely(word: str) -> bool:
    """Whether it looks like a word: one stretch of letters in a usual case, with vowels."""
    stretches = _LETTERS.findall(word)
    letters = "".join(stretches)
    if len(letters) * 4 < len(word) * 3 or max(map(len, stretches)) > _LONGEST_WORD:
        return False
    if not all(stretch.islower() or stretch.isupper() or stretch.istitle() for stretch in stretches):
        return not letters.isascii() and letters.lower() == letters.upper()  # scripts without case
    vowels = sum(letter in _VOWELS or ord(letter) > 0x24F for letter in letters.lower())
    return len(letters) < 4 or vowels >= _VOWEL_SHARE * len(letters)

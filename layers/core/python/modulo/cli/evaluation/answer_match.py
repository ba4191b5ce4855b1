"""Whether an answer holds a gold answer, whatever its case, punctuation and articles."""

import re
import unicodedata

_ARTICLES = frozenset(("a", "an", "the"))
_THOUSANDS = re.compile(r"(?<=\d)[,\u2019\u00a0\u202f](?=\d{3}(?!\d))")
_WORD = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
_SPACELESS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
"""Letters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese and Chinese."""


class Words:
    """A text by its words, as they are compared."""

    def __init__(self, text: str) -> None:
        words = _words(text)
        self._all = _spaced(words)
        self._without_articles = _spaced(_without_articles(words))

    def hold(self, gold: str) -> bool:
        """Whether the gold text's words stand in the text, in their order and without others between them."""
        wanted = _words(gold)
        if _ARTICLES.issuperset(wanted):
            return bool(wanted) and _spaced(wanted) in self._all
        return _spaced(_without_articles(wanted)) in self._without_articles


def holds(text: str, gold: str) -> bool:
    """Whether the gold text's words stand in the text, in their order and without others between them.

    Compared as the SQuAD evaluation does (Rajpurkar et al. 2016): without case, punctuation and English articles.
    Besides, compatible characters are one (NFKC), digits are not grouped (1,000 is 1000), numbers and letters are words
    of their own, and so is each letter of a script without spaces.
    """
    return Words(text).hold(gold)


def comparable(gold: str) -> bool:
    """Whether the gold text holds a letter or a digit, without which no text holds it."""
    return holds(gold, gold)


def _words(text: str) -> list[str]:
    plain = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).lower())
    return _WORD.findall(_SPACELESS.sub(r" \g<0> ", plain))


def _without_articles(words: list[str]) -> list[str]:
    return [word for word in words if word not in _ARTICLES]


def _spaced(words: list[str]) -> str:
    return f" {' '.join(words)} "

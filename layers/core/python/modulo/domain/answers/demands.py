"""What a question demands of an answer: the codes, numbers and names in it, which must stand where the answer does."""

import re
import unicodedata
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import groupby, pairwise

from modulo.domain.text.language import language_of
from modulo.domain.text.question_words import ARTICLES
from modulo.domain.text.stemming import content_words

MAX_SPELLINGS = 400
"""So many words of a text are compared with one that may be misspelt."""

MAX_WORDS_BEFORE = 4
"""Behind a word such as "after", a code within so many words is only mentioned."""

_TOKEN = re.compile(r"\S+")
_AROUND = "\"'\u201c\u201d\u2018\u2019\u00ab\u00bb()[]{}<>.,;:!?*_|`\u2026\u00bf\u00a1\u3002\uff1f"
_WITHOUT = str.maketrans("", "", "-_/,'\u2019\u2010\u2011\u2013#$\u20ac\u00a3")
_RANGE = re.compile(r"(?<!\d)\d+[-/\u2010-\u2013]\d+")
_BETWEEN = re.compile(r"[-/\u2010-\u2013]")
_ENDS_IN_NUMBER = re.compile(r"(?<=[^\W\d_])\d+$")
_DATE = re.compile(r"(\d{4})-\d{1,2}-(\d{1,2})|(\d{1,2})\.\d{1,2}\.(\d{4})|\d{1,2}/\d{1,2}/(\d{4})")
_VERSION = re.compile(r"v?(\d{1,3}\.\d{1,3})\.\d{1,4}")
_FISCAL_YEAR = re.compile(r"fy((?:19|20)?\d\d)")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th|s|%|k|m|bn|x)")
_LETTERS = re.compile(r"[^\W\d_]")
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_ORIGIN = re.compile(r"(?:ish|ese?|ch|ian|ican|(?<=germ)an|west|east|north|south|new|world)$")  # English, New World
_NAME = re.compile(r"[A-Z\u00c0-\u00de][^\W\d_]{2,}")
# Of German questions, which write all nouns like names, even those too short for their language to be known.
_ASKS_IN_GERMAN = re.compile(
    r"\b(?:wer|wem|wen|wessen|wann|wie|wieviele?|warum|wieso|weshalb|welche[mnrs]?|ist|sind)\b", re.IGNORECASE
)
_MONTH = re.compile(
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)",
    re.IGNORECASE,
)


# A code behind these is mentioned, not explained.
_ONLY_NAMED = re.compile(
    r"\b(?:after|before|if|when|whenever|while|until|unless|with|without|on|in|for|to|see|like|than|except|and|or|"
    r"nach|vor|wenn|falls|bei|mit|ohne|bis|siehe|wie|au\u00dfer|und|oder)\b[^,.;:]*$",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"\(.*|\S*\)|\S*[:=]|\S+ (?:[=:\u2013\u2014-] |(?:[^\W\d_]+ ){0,2}?(?:means?|stands?|is|are|indicates?|"
    r"signals?|denotes?|signifies|occurs|appears|describes|shows|refers|bedeutet|steht|hei\u00dft|ist|sind|zeigt|meldet|bezeichnet)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Demands:
    """Codes must occur in a quotation or above it, numbers too or earlier in its passage, names in the passage."""

    codes: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[tuple[str, ...]]
    """As the stems of their words, one of which is enough."""

    def __bool__(self) -> bool:
        return bool(self.codes or self.numbers or self.names)


def demands_of(question: str, *, names: bool = True) -> Demands:
    """The demands.

    Names are those words that begin with a capital; in German, which writes all nouns so, only several in a row. The
    month of a date, beside a number, is none: texts write dates in many ways.
    """
    least = 2 if language_of(question) == "de" or _ASKS_IN_GERMAN.search(question) else 1
    told = [token for token in _TOKEN.findall(question) if any(map(str.isdigit, token))]
    keys = [key for token in told for key in _date_keys(token) or [_key(token)] if key]
    codes = frozenset(key for key in keys if _is_code(key))
    tokens = [_POSSESSIVE.sub("", token.strip(_AROUND)) for token in _TOKEN.findall(question)]
    capitals = [bool(_NAME.fullmatch(token)) and not _in_date(tokens, at) for at, token in enumerate(tokens)]
    written_so = names and sum(capitals[1:]) * 2 <= len(tokens)
    groups = groupby(range(1, len(tokens)), key=capitals.__getitem__) if written_so else ()
    runs = (list(group) for capital, group in groups if capital)
    # "der Chef Zeit hat": behind an article are nouns that only happen to stand side by side.
    named = (run for run in runs if len(run) >= least and (least == 1 or tokens[run[0] - 1].casefold() not in ARTICLES))
    written = (stems(" ".join(tokens[at] for at in run)) for run in named)
    return Demands(
        codes=codes,
        numbers=frozenset(key for key in keys if key not in codes and len(key) > 1),
        names=frozenset(tuple(group) for group in written if group and not all(map(_ORIGIN.search, group))),
    )


def _in_date(tokens: Sequence[str], at: int) -> bool:
    """Whether the token is a month beside a day or a year."""
    beside = [*tokens[max(at - 1, 0) : at], *tokens[at + 1 : at + 2]]
    return bool(_MONTH.fullmatch(tokens[at])) and any(any(map(str.isdigit, token)) for token in beside)


def stems(text: str) -> list[str]:
    """The text's content words without diacritics: C\u00e9leron and Celeron are the same."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return content_words(plain)


def keys_in(text: str) -> frozenset[str]:
    """The codes and numbers of a text, written in one way: AB-1077, AB1077 and "AB 1077" are the same.

    A version, 4.2.0, is one of 4.2, too, and a date in figures has the keys of one in words: its year and its day.
    """
    tokens = [_key(token) for token in _TOKEN.findall(text)]
    found = {key for key in tokens if any(map(str.isdigit, key))}
    found |= {_key(first + second) for first, second in pairwise(tokens) if first.isalpha() and second[:1].isdigit()}
    found |= {_key(part) for token in _RANGE.findall(text) for part in _BETWEEN.split(token)}
    found |= {number[0] for key in found if (number := _ENDS_IN_NUMBER.search(key))}
    found |= {key for token in _TOKEN.findall(text) for key in _date_keys(token)}
    found |= {version[1] for key in found if (version := _VERSION.fullmatch(key))}
    return frozenset(found)


def defines(text: str, codes: Set[str]) -> bool:
    """Whether the text says what these codes stand for: "E-12 means …", "E-12: …", "… (E-12)", not "after E-12 …"."""
    tokens = text.split()
    for at, token in enumerate(tokens):
        if _key(token) in codes or (at and _key(tokens[at - 1] + token) in codes):
            before = " ".join(tokens[max(at - MAX_WORDS_BEFORE, 0) : at])
            if not _ONLY_NAMED.search(before) and _DEFINED.match(" ".join([token, *tokens[at + 1 : at + 5]])):
                return True
    return False


def holds(names: Iterable[Sequence[str]], known: Set[str]) -> bool:
    """Whether a word of each name is among the known stems, a long one also where it is misspelt by a letter."""
    return all(any(word in known or nearest(word, known) is not None for word in name) for name in names)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that differs by one letter, or by two in a long word, and begins alike; words with digits none."""
    if len(word) < 5 or not word.isalpha():
        return None
    most = 2 if len(word) >= 9 else 1
    alike = (one for one in known if one[:1] == word[0] and abs(len(one) - len(word)) <= most and one.isalpha())
    found = [
        (distance, one)
        for one, _ in zip(alike, range(MAX_SPELLINGS), strict=False)
        if (distance := _distance(word, one)) <= most
    ]
    return min(found)[1] if found else None


def _date_keys(token: str) -> list[str]:
    """The year and, where it is certain, the day of a date in figures; nothing of another token."""
    found = _DATE.fullmatch(token.strip(_AROUND))
    return [part.lstrip("0") for part in found.groups() if part] if found else []


def _key(token: str) -> str:
    key = token.strip(_AROUND).casefold().translate(_WITHOUT).strip(".%")
    return f"20{year[1]}"[-4:] if (year := _FISCAL_YEAR.fullmatch(key)) else key


def _is_code(key: str) -> bool:
    """Whether it names one thing: letters with digits, or a version; no ordinal, decade or plain number."""
    return (bool(_LETTERS.search(key)) and not _ORDINAL.fullmatch(key)) or key.count(".") > 1


def _distance(one: str, other: str) -> int:
    """The edits between two words: letters put in, left out, replaced, or swapped with the next."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        this = [row]
        for column, another in enumerate(other, start=1):
            cost = min(last[column] + 1, this[-1] + 1, last[column - 1] + (letter != another))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == another:
                cost = min(cost, before[column - 2] + 1)
            this.append(cost)
        before, last = last, this
    return last[-1]

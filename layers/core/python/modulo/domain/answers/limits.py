"""Limits: what a question asks the most or the least of, and texts that tell one in whatever words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from modulo.domain.answers.answer_kinds import tells_figure
from modulo.domain.answers.decided_rows import selection_of
from modulo.domain.text.stemming import content_words

MIN_BEGINNING = 4
"""The fewest letters with which a longer word begins that says the same: "Hecken"."""
MIN_END = 5
"""The fewest letters with which a longer word ends that is of its kind: "Wassertemperatur"."""

_ASKS_MOST = re.compile(
    r"\b(?:maxim(?:um|al\w*)|max\.?|at (?:the )?most|upper limit|up to (?:how|what)|h\u00f6chstens|obergrenze|"
    r"bis zu (?:wie\w*|welche\w*)|h\u00f6chst(?=\w{4}))",
    re.IGNORECASE,
)
_ASKS_LEAST = re.compile(
    r"\b(?:minim(?:um|al\w*)|min\.|at (?:the )?least|lower limit|mindestens|wenigstens|untergrenze|mindest(?=\w{4}))",
    re.IGNORECASE,
)
_MORE = "more|longer|higher|larger|heavier|older|later|deeper|wider|faster"
_LESS = "less|fewer|shorter|lower|smaller|younger|earlier"
_MORE_IN_GERMAN = (
    "mehr|l\u00e4nger|h\u00f6her|gr\u00f6\u00dfer|schwerer|\u00e4lter|sp\u00e4ter|tiefer|breiter|schneller"
)
_LESS_IN_GERMAN = "weniger|k\u00fcrzer|niedriger|kleiner|j\u00fcnger|fr\u00fcher"
_TELLS_MOST = re.compile(
    rf"\b(?:not (?:be )?(?:exceed\w*|(?:{_MORE}) than|above|over)|no (?:{_MORE}) than|never exceeds?|at (?:the )?most|"
    rf"up to|maximum|maximal\w*|max\.|limit(?:ed)?|capped at|h\u00f6chst\w*|bis zu|begrenzt|obergrenze|"
    rf"nicht (?:(?:{_MORE_IN_GERMAN}) als|\u00fcber)|nicht (?:\u00fcberschreiten|\u00fcbersteigen))\b",
    re.IGNORECASE,
)
_TELLS_LEAST = re.compile(
    rf"\b(?:not (?:be )?(?:(?:{_LESS}) than|below|under|fall below)|no (?:{_LESS}) than|at (?:the )?least|minimum|"
    rf"minimal\w*|min\.|mindest\w*|wenigstens|untergrenze|nicht (?:(?:{_LESS_IN_GERMAN}) als|unter|unterschreiten))\b",
    re.IGNORECASE,
)
_COUNTS = frozenset(
    content_words(
        "number amount quantity limit value level allowed permitted applies apply zahl anzahl menge grenze wert "
        "erlaubt gilt gelten"
    )
)


_NUMBERED = re.compile(r"\s+\d")
_HOW = re.compile(r"\b(?:how|wie)\s+(?!many\b|much\b|viele?\b)\w+", re.IGNORECASE)
_UNITS: Mapping[str, re.Pattern[str]] = {
    word: re.compile(rf"(?<![^\W\d_])(?:{units})\b", re.IGNORECASE)
    for names, units in (
        ("size gr\u00f6\u00dfe", r"[kmgt]b|m\u00b2|sqm|square|hectares?|quadratmetern?|hektar"),
        ("weight gewicht", r"k?g|kilos?|kilograms?|grams?|t|tonnes?|tons?|pounds?|lbs?|gramm|kilogramm|tonnen"),
        ("temperature temperatur", r"degrees?|grad|\u00b0 ?[cf]"),
        ("speed geschwindigkeit", r"km/h|mph|knots?|knoten|kilomet(?:re|er)s? (?:an|per) hour|stundenkilometern?"),
        (
            "duration period stay dauer frist",
            r"(?:minute|hour|day|week|month|year)s?|minuten|stunden?|tage?n?|wochen?|monate?n?|jahre?n?",
        ),
    )
    for word in content_words(names)
}
"""What need not be named where it is told in its unit."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit that a question is for."""

    most: bool
    """Whether it is the most; else the least."""
    subject: frozenset[str]
    """The stems of what it limits."""

    def told_by(self, text: str, above: str = "") -> bool:
        """Whether the text tells it, in figures; some of what is limited may also stand above the text."""
        pattern = _TELLS_MOST if self.most else _TELLS_LEAST
        if not (pattern.search(text) and tells_figure(text)):
            return False
        within = frozenset(content_words(text))
        known = within.union(content_words(above))
        measured = {word for word in self.subject if word in _UNITS and _UNITS[word].search(text)}
        return any(_is_among(word, within) for word in self.subject) and all(
            _is_among(word, known) for word in self.subject - measured
        )


def limit_of(question: str) -> Limit | None:
    """The limit that a question is for, if it is for one; "at least 10 places" asks for none."""
    for pattern, most in ((_ASKS_MOST, True), (_ASKS_LEAST, False)):
        found = pattern.search(question)
        if found and not _NUMBERED.match(question, found.end()):
            plain = _HOW.sub("how", f"{question[: found.start()]} {question[found.end() :]}")
            subject = selection_of(plain).subject - _COUNTS
            return Limit(most, subject) if subject else None
    return None


def _is_among(word: str, known: frozenset[str]) -> bool:
    """Whether a word is known, alone or as the beginning or the end of a longer one."""
    return word in known or any(
        (len(word) >= MIN_BEGINNING and other.startswith(word)) or (len(word) >= MIN_END and other.endswith(word))
        for other in known
    )

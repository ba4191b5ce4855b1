"""Ranges of numbers in a text: "18 to 64", "65 and over", "more than 500", "6 months to 2 years"."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modulo.domain.text.word_set import word_set

_PLAIN = r"\d+(?:[.,]\d{3})*(?:[.,]\d+)?(?![.,]?\d)"
_NUMBER = rf"(?<![\w.,]){_PLAIN}"
_UNIT = r"(?:\s?(?P<{}>[^\W\d_]+|%))?"
_BETWEEN = re.compile(
    rf"(?P<low>{_NUMBER}){_UNIT.format('low_unit')}\s?(?:to|bis|and|und|-|\u2013|\u2014)\s?"
    rf"(?P<high>{_PLAIN}){_UNIT.format('high_unit')}",
    re.IGNORECASE,
)
_FROM = re.compile(
    rf"\b(?P<word>at least|from|ab|mindestens|more than|over|above|exceed\w*|\u00fcber|mehr als)\s(?:\w+\s)?"
    rf"(?P<low>{_NUMBER}){_UNIT.format('unit')}",
    re.IGNORECASE,
)
_AND_MORE = re.compile(
    rf"(?P<low>{_NUMBER}){_UNIT.format('unit')}\s?"
    r"(?:\+|(?:and|or|und|oder)\s(?:over|more|older|above|longer|mehr|\u00e4lter|l\u00e4nger|dar\u00fcber)\b)",
    re.IGNORECASE,
)
_UP_TO = re.compile(
    rf"\b(?P<word>up to|at most|until|maximum|bis(?: zu)?|h\u00f6chstens|less than|fewer than|under|below|unter|"
    rf"weniger als)\s(?P<high>{_NUMBER}){_UNIT.format('unit')}",
    re.IGNORECASE,
)
_STRICT = frozenset(
    (
        "more than",
        "over",
        "above",
        "\u00fcber",
        "mehr als",
        "less than",
        "fewer than",
        "under",
        "below",
        "unter",
        "weniger als",
    )
)
_AMOUNT = re.compile(rf"(?P<low>{_NUMBER}){_UNIT.format('unit')}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?!\d))")
_HOURS: Mapping[str, float] = {
    "minute": 1 / 60,
    "minuten": 1 / 60,
    "hour": 1,
    "stunde": 1,
    "stunden": 1,
    "day": 24,
    "tag": 24,
    "tage": 24,
    "week": 168,
    "woche": 168,
    "wochen": 168,
    "month": 730,
    "monat": 730,
    "monate": 730,
    "monaten": 730,
    "year": 8760,
    "jahr": 8760,
    "jahre": 8760,
    "jahren": 8760,
}
_OF_DATES = word_set(
    "am pm uhr january february march april may june july august september october november december "
    "januar februar m\u00e4rz mai juni juli oktober dezember"
)


@dataclass(frozen=True, slots=True)
class NumberRange:
    """From `low` to `high`, both within; times in hours, other numbers as they are told."""

    low: float
    high: float
    is_time: bool = False

    def holds(self, amount: "NumberRange") -> bool:
        """Whether an amount lies within it; a time is no other number."""
        return self.is_time == amount.is_time and self.low <= amount.low and amount.high <= self.high


def ranges(text: str) -> list[NumberRange]:
    """The ranges of a text, but those of dates and hours of the day."""
    return list(_ranges(text))


def amounts(text: str) -> dict[str, NumberRange]:
    """The single numbers of a text by their figures; none of a range, a date or an hour of the day, and no year."""
    for pattern in (_BETWEEN, _FROM, _AND_MORE, _UP_TO):
        text = pattern.sub(" ", text)
    told = [one for one in _AMOUNT.finditer(text) if not (_is_date(one["unit"]) or _YEAR.fullmatch(one["low"]))]
    return {one["low"].replace(",", ""): _range(one["low"], one["low"], one["unit"], one["unit"]) for one in told}


def _ranges(text: str) -> Iterator[NumberRange]:
    for found in _BETWEEN.finditer(text):
        if not (_is_date(found["high_unit"]) or _YEAR.fullmatch(found["low"])):
            yield _range(found["low"], found["high"], found["low_unit"] or found["high_unit"], found["high_unit"])
    rest = _BETWEEN.sub(" ", text)
    for found in (*_FROM.finditer(rest), *_AND_MORE.finditer(rest), *_UP_TO.finditer(rest)):
        told = found.groupdict()
        if _is_date(told["unit"]):
            continue
        strictly = (told.get("word") or "").lower() in _STRICT
        if "high" in told:
            high = _range(told["high"], told["high"], told["unit"], told["unit"])
            yield NumberRange(-math.inf, _before(high.high) if strictly else high.high, high.is_time)
        else:
            low = _range(told["low"], told["low"], told["unit"], told["unit"])
            yield NumberRange(-_before(-low.low) if strictly else low.low, math.inf, low.is_time)


def _before(value: float) -> float:
    return math.nextafter(value, -math.inf)


def _is_date(unit: str | None) -> bool:
    return (unit or "").lower() in _OF_DATES


def _range(low: str, high: str, low_unit: str | None, high_unit: str | None) -> NumberRange:
    hours = [
        _HOURS.get(unit, _HOURS.get(unit.removesuffix("s"), 0))
        for unit in ((low_unit or "").lower(), (high_unit or "").lower())
    ]
    is_time = all(hours)
    first, last = (number(told) * (scale if is_time else 1) for told, scale in zip((low, high), hours, strict=True))
    return NumberRange(first, last, is_time)


def number(told: str) -> float:
    """A number as a text tells it, with separators of thousands and a decimal point or comma."""
    return float(_THOUSANDS.sub("", told).replace(",", ".", 1).replace(",", ""))

"""AWS cron expressions: minutes, hours, day of month, month, day of week, year."""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import product
from zoneinfo import ZoneInfo

MONTHS = {
    "JAN": 1,
    "FEB": 2,
    "MAR": 3,
    "APR": 4,
    "MAY": 5,
    "JUN": 6,
    "JUL": 7,
    "AUG": 8,
    "SEP": 9,
    "OCT": 10,
    "NOV": 11,
    "DEC": 12,
}
WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
YEARS = range(1970, 2200)
SATURDAY, SUNDAY = 5, 6  # as returned by `date.weekday`

Day = Callable[[int, int], set[int]]
"""Returns the days of a month that a field matches, for a year and a month."""


@dataclass(frozen=True)
class Cron:
    """A parsed cron expression."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[Day, ...]
    months: frozenset[int]
    years: frozenset[int]

    @classmethod
    def parse(cls, fields: str) -> "Cron":
        """Parse the text between the parentheses of `cron(…)`.

        Raises:
            ValueError: it is not a valid AWS cron expression; the message says why.
        """
        parts = fields.upper().split()
        if len(parts) != 6:
            raise ValueError(f"a cron expression has 6 fields, not {len(parts)}")
        minutes, hours, month_days, months, week_days, years = parts
        if (month_days == "?") == (week_days == "?"):
            raise ValueError("one of day of month and day of week must be ?, and only one")
        return cls(
            minutes=tuple(sorted(_numbers(minutes, range(60)))),
            hours=tuple(sorted(_numbers(hours, range(24)))),
            days=tuple(_month_days(month_days) if week_days == "?" else _week_days(week_days)),
            months=frozenset(_numbers(months, range(1, 13), MONTHS)),
            years=frozenset(_numbers(years, YEARS)),
        )

    def first(self, since: datetime, zone: ZoneInfo) -> datetime | None:
        """The first match at or after `since` in the zone's local time; returned in UTC, None if there is none.

        Local times skipped by a switch to summer time never match; repeated ones match only the first time.
        """
        start = since.astimezone(zone).replace(tzinfo=None)
        for day in self._dates(start.date()):
            for hour, minute in product(self.hours, self.minutes):
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                moment = local.astimezone(UTC)
                if moment >= since and moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                    return moment
        return None

    def _dates(self, start: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= start.year):
            for month in sorted(self.months):
                days = set[int]().union(*(means(year, month) for means in self.days))
                for day in sorted(days):
                    if (found := date(year, month, day)) >= start:
                        yield found


def _number(text: str, allowed: range, names: dict[str, int]) -> int:
    value = names.get(text)
    if value is None:
        if not re.fullmatch("[0-9]{1,4}", text):
            raise ValueError(f"{text!r} is not a number or name")
        value = int(text)
    if value not in allowed:
        raise ValueError(f"{text} is not between {allowed.start} and {allowed.stop - 1}")
    return value


def _numbers(field: str, allowed: range, names: dict[str, int] | None = None) -> set[int]:
    """Parse a comma-separated list of `*`, values, ranges and steps; a range may wrap around, as in NOV-FEB."""
    found: set[int] = set()
    names = names or {}
    for item in field.split(","):
        span, slash, step_text = item.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            values = list(allowed)
        else:
            low = _number(first, allowed, names)
            high = _number(last, allowed, names) if dash else allowed.stop - 1 if slash else low
            if low > high and allowed is YEARS:
                raise ValueError(f"{span} runs backwards")
            wrapped = [*range(low, allowed.stop), *range(allowed.start, high + 1)]
            values = wrapped if low > high else [*range(low, high + 1)]
        step = _number(step_text, range(1, 10_000), {}) if slash else 1
        found.update(values[::step])
    return found


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _month_days(field: str) -> Iterator[Day]:
    for item in field.split(","):
        if item == "L":
            yield lambda year, month: {_length(year, month)}
        elif item == "LW":
            yield lambda year, month: _nearest_weekday(year, month, _length(year, month))
        elif item.endswith("W"):
            yield partial(_nearest_weekday, wanted=_number(item[:-1], range(1, 32), {}))
        else:
            yield partial(_existing, numbers=_numbers(item, range(1, 32)))


def _existing(year: int, month: int, numbers: set[int]) -> set[int]:
    return {day for day in numbers if day <= _length(year, month)}


def _nearest_weekday(year: int, month: int, wanted: int) -> set[int]:
    """The weekday (Monday to Friday) nearest to that day within the month."""
    length = _length(year, month)
    if wanted > length:
        return set()
    weekday = calendar.weekday(year, month, wanted)
    if weekday == SATURDAY:
        return {wanted - 1 if wanted > 1 else wanted + 2}
    if weekday == SUNDAY:
        return {wanted + 1 if wanted < length else wanted - 2}
    return {wanted}


def _week_days(field: str) -> Iterator[Day]:
    if "#" in field:
        name, _, nth = field.partition("#")
        before = _number(nth, range(1, 6), {}) - 1
        yield partial(_on_weekdays, numbers={_number(name, range(1, 8), WEEKDAYS)}, which=slice(before, before + 1))
        return
    for item in field.split(","):
        if item == "L":  # the last day of the week
            yield partial(_on_weekdays, numbers={WEEKDAYS["SAT"]})
        elif item.endswith("L"):
            yield partial(_on_weekdays, numbers={_number(item[:-1], range(1, 8), WEEKDAYS)}, which=slice(-1, None))
        else:
            yield partial(_on_weekdays, numbers=_numbers(item, range(1, 8), WEEKDAYS))


def _on_weekdays(year: int, month: int, numbers: set[int], which: slice = slice(None)) -> set[int]:
    """The days of the month that fall on these weekdays (1 is Sunday); `which` selects among them in order."""
    days = range(1, _length(year, month) + 1)
    return set([day for day in days if (calendar.weekday(year, month, day) + 1) % 7 + 1 in numbers][which])

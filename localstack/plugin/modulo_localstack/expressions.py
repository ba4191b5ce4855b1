"""Schedule expressions: `rate(5 minutes)`, `cron(0 9 ? * MON-FRI *)`, `at(2030-01-31T08:00:00)`."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modulo_localstack.cron import Cron

UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class Expression(Protocol):
    """When a schedule falls due; all times are in UTC."""

    def first(self, since: datetime, *, anchor: datetime) -> datetime | None:
        """The first time at or after `since`; a rate counts from `anchor`, when the schedule began."""
        ...


@dataclass(frozen=True)
class Rate:
    """At the beginning, and then again and again."""

    every: timedelta

    def first(self, since: datetime, *, anchor: datetime) -> datetime | None:
        """The beginning plus a whole number of intervals."""
        return anchor + max(0, math.ceil((since - anchor) / self.every)) * self.every


@dataclass(frozen=True)
class Calendar:
    """Whenever the clocks of a zone show what is asked for."""

    cron: Cron
    zone: ZoneInfo

    def first(self, since: datetime, *, anchor: datetime) -> datetime | None:  # noqa: ARG002  # the port's
        """The next such time; None where there is none any more."""
        return self.cron.first(since, self.zone)


@dataclass(frozen=True)
class Once:
    """At one time."""

    moment: datetime

    def first(self, since: datetime, *, anchor: datetime) -> datetime | None:  # noqa: ARG002  # the port's
        """That time, unless it has passed."""
        return self.moment if self.moment >= since else None


def parse(text: str, zone_name: str | None = None) -> Expression:
    """Read an expression, in an IANA time zone, which is UTC where not given.

    Raises:
        ValueError: it or the zone is none; says why.
    """
    try:
        zone = ZoneInfo(zone_name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{zone_name!r} is no time zone") from error
    found = re.fullmatch(r"(rate|cron|at)\((.*)\)", text.strip())
    if not found:
        raise ValueError("an expression is rate(…), cron(…) or at(…)")
    kind, inside = found.groups()
    if kind == "rate":
        return _rate(inside)
    if kind == "cron":
        return Calendar(Cron.parse(inside), zone)
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inside, re.ASCII):
        raise ValueError("a time is written yyyy-mm-ddThh:mm:ss")
    return Once(datetime.fromisoformat(inside).replace(tzinfo=zone).astimezone(UTC))


def _rate(inside: str) -> Rate:
    found = re.fullmatch(r"(\d{1,6}) +(minute|hour|day)s?", inside.strip(), re.ASCII)
    if not found or int(found[1]) == 0:
        raise ValueError("a rate is a positive number, of at most 6 digits, and minutes, hours or days")
    return Rate(int(found[1]) * UNITS[found[2]])

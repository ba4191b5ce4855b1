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
    """A schedule expression; all times are in UTC."""

    def first(self, since: datetime, *, anchor: datetime) -> datetime | None:
        """The first due time at or after `since`; a rate counts from `anchor`, the start of the schedule."""
        ...


@dataclass(frozen=True)
class Rate:
    """A fixed interval, first due at the start of the schedule."""

    every: timedelta

    def first(self, since: datetime, *, anchor: datetime) -> datetime | None:
        """The anchor plus a whole number of intervals."""
        return anchor + max(0, math.ceil((since - anchor) / self.every)) * self.every


@dataclass(frozen=True)
class Calendar:
    """A cron expression in a time zone."""

    cron: Cron
    zone: ZoneInfo

    def first(self, since: datetime, *, anchor: datetime) -> datetime | None:  # noqa: ARG002  # required by the protocol
        """The next match; None if there is none."""
        return self.cron.first(since, self.zone)


@dataclass(frozen=True)
class Once:
    """A single point in time."""

    moment: datetime

    def first(self, since: datetime, *, anchor: datetime) -> datetime | None:  # noqa: ARG002  # required by the protocol
        """That time; None if it has passed."""
        return self.moment if self.moment >= since else None


def parse(text: str, zone_name: str | None = None) -> Expression:
    """Parse a schedule expression in an IANA time zone; the default is UTC.

    Raises:
        ValueError: the expression or the time zone is invalid; the message says why.
    """
    try:
        zone = ZoneInfo(zone_name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{zone_name!r} is not a known time zone") from error
    found = re.fullmatch(r"(rate|cron|at)\((.*)\)", text.strip())
    if not found:
        raise ValueError("the expression must be rate(…), cron(…) or at(…)")
    kind, inside = found.groups()
    if kind == "rate":
        return _rate(inside)
    if kind == "cron":
        return Calendar(Cron.parse(inside), zone)
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inside, re.ASCII):
        raise ValueError("the time must have the format yyyy-mm-ddThh:mm:ss")
    return Once(datetime.fromisoformat(inside).replace(tzinfo=zone).astimezone(UTC))


def _rate(inside: str) -> Rate:
    found = re.fullmatch(r"(\d{1,6}) +(minute|hour|day)s?", inside.strip(), re.ASCII)
    if not found or int(found[1]) == 0:
        raise ValueError("the rate must be a positive number of at most 6 digits, then minutes, hours or days")
    return Rate(int(found[1]) * UNITS[found[2]])

"""Dates in documents: converted to ISO 8601, and compared as the intervals that they name."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = "0001-01-01"
"""Completes a date that has fewer fields."""
_LAST = datetime.max.replace(tzinfo=UTC)
"""The end of 9999-12-31, by which many say "never"."""
_ISO = re.compile(
    r"(?:[12]\d{3}|[3-9]\d{3}(?=-))(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_OF_PDF = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([-+Z])(?:(\d\d)'?(\d\d)?'?)?)?", re.ASCII)


def to_iso(text: str) -> str:
    """A date in PDF, e-mail or ISO 8601 format, as ISO 8601; any other text unchanged."""
    if interval(text) is None:
        for read in (_of_pdf, _of_iso, _of_email):
            try:
                found = read(text.strip())
            except (ValueError, TypeError, IndexError, OverflowError):
                continue
            if interval(found) is not None:
                return found
    return text


def interval(text: str) -> tuple[datetime, datetime] | None:
    """Start and end, in UTC, of the year, month, day, minute or second that an ISO 8601 date names.

    A date without a zone counts as UTC. None for any other text.
    """
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    *fields, zone = found.groups()
    try:
        first = datetime.fromisoformat(text + _FIRST[len(text) :])
        first = first.astimezone(UTC) if zone else first.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    try:
        return first, _end(first, fields)
    except OverflowError:
        return first, _LAST


def _end(first: datetime, fields: Sequence[str | None]) -> datetime:
    """Where the stretch ends: month, day, clock, second and fraction are given or not."""
    month, day, clock, second, fraction = fields
    if month is None:
        return first.replace(year=first.year + 1)
    if day is None:
        return (first + timedelta(days=31)).replace(day=1)
    finer = ((clock, timedelta(days=1)), (second, timedelta(minutes=1)), (fraction, timedelta(seconds=1)))
    return first + next((length for given, length in finer if given is None), timedelta(microseconds=1))


def interval_start(text: str | None) -> datetime | None:
    """The start of the interval; None for no text, or one that is no ISO 8601 date."""
    found = interval(text or "")
    return found and found[0]


def _of_pdf(text: str) -> str:
    """PDF 32000-1, 7.9.4: missing fields default to the first value."""
    found = _OF_PDF.match(text)
    if found is None:
        return text
    year, month, day, hour, minute, second, zone, ahead, minutes = found.groups()
    date = f"{year}-{month or '01'}-{day or '01'}"
    if not hour:
        return date
    offset = "" if not zone else "+00:00" if zone == "Z" else f"{zone}{ahead or '00'}:{minutes or '00'}"
    return f"{date}T{hour}:{minute or '00'}:{second or '00'}{offset}"


def _of_iso(text: str) -> str:
    """Other ISO 8601 forms: week dates, the basic format, longer fractions."""
    moment = datetime.fromisoformat(text)
    return moment.isoformat() if len(text) > len("2020-01-31") else moment.date().isoformat()


def _of_email(text: str) -> str:
    return parsedate_to_datetime(text).isoformat()


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exact."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(microseconds: int) -> datetime:
    """The moment so many microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)

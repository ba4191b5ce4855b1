"""Dates as documents write them: brought into one form, and compared as the stretches of time that they name."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_FIRST = "0001-01-01"
"""What completes a date that tells less."""
_WRITTEN = re.compile(r"[12]\d{3}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII)
_OF_PDF = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([-+Z])(?:(\d\d)'?(\d\d)?'?)?)?", re.ASCII)


def iso(said: str) -> str:
    """A date that is written as PDFs, letters or ISO 8601 have it, in ISO 8601; any other text as it stands."""
    if span(said) is None:
        for read in (_of_pdf, _of_iso, _of_letter):
            try:
                found = read(said.strip())
            except (ValueError, TypeError, IndexError, OverflowError):
                continue
            if span(found) is not None:
                return found
    return said


def span(said: str) -> tuple[datetime, datetime] | None:
    """When the stretch of time begins and ends that a date in ISO 8601 names: its year, month, day, minute or second.

    In UTC, which is also taken for the zone where none is told. None for any other text.
    """
    found = _WRITTEN.fullmatch(said)
    if found is None:
        return None
    month, day, clock, second, fraction, zone = found.groups()
    try:
        first = datetime.fromisoformat(said + _FIRST[len(said) :])
    except ValueError:
        return None
    first = first.astimezone(UTC) if zone else first.replace(tzinfo=UTC)
    if month is None:
        end = first.replace(year=first.year + 1)
    elif day is None:
        end = (first + timedelta(days=31)).replace(day=1)
    else:
        finer = ((clock, timedelta(days=1)), (second, timedelta(minutes=1)), (fraction, timedelta(seconds=1)))
        end = first + next((length for told, length in finer if told is None), timedelta(microseconds=1))
    return first, end


def begin(said: str | None) -> datetime | None:
    """When it begins; None where nothing is said, or what is no date in ISO 8601."""
    found = span(said or "")
    return found and found[0]


def _of_pdf(said: str) -> str:
    """PDF 32000-1, 7.9.4: what is left out of a date is its first."""
    found = _OF_PDF.match(said)
    if found is None:
        return said
    year, month, day, hour, minute, second, zone, ahead, minutes = found.groups()
    date = f"{year}-{month or '01'}-{day or '01'}"
    if not hour:
        return date
    offset = "" if not zone else "+00:00" if zone == "Z" else f"{zone}{ahead or '00'}:{minutes or '00'}"
    return f"{date}T{hour}:{minute or '00'}:{second or '00'}{offset}"


def _of_iso(said: str) -> str:
    """The other ways that ISO 8601 knows: by weeks, without signs between, with longer fractions."""
    moment = datetime.fromisoformat(said)
    return moment.isoformat() if len(said) > len("2020-01-31") else moment.date().isoformat()


def _of_letter(said: str) -> str:
    return parsedate_to_datetime(said).isoformat()

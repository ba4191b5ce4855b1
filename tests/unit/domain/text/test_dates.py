"""Dates in all the ways that documents write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.files.file import DocumentInfo
from modulo.domain.text.dates import interval, interval_start, to_iso


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("D:2020", "2020-01-01"),
        ("D:202005", "2020-05-01"),
        ("D:20200131", "2020-01-31"),
        ("D:2020013109", "2020-01-31T09:00:00"),
        ("D:20200131101112", "2020-01-31T10:11:12"),
        ("D:20200131101112Z", "2020-01-31T10:11:12+00:00"),
        ("D:20200131101112Z00'00'", "2020-01-31T10:11:12+00:00"),
        ("D:20200131101112-08'30'", "2020-01-31T10:11:12-08:30"),
        ("D:20200131101112+01", "2020-01-31T10:11:12+01:00"),
        ("D:20200131 was a Friday", "2020-01-31"),
        ("Tue, 03 Mar 2020 10:00:00 +0100", "2020-03-03T10:00:00+01:00"),
        ("3 Mar 2020 10:00:00 GMT", "2020-03-03T10:00:00+00:00"),
        ("20200531", "2020-05-31"),
        ("2020-W22-7", "2020-05-31"),
        (" 2020-05-31\n", "2020-05-31"),
        ("2020-05-31 10:00", "2020-05-31T10:00:00"),
        ("2020-05-31T10:00:00+0100", "2020-05-31T10:00:00+01:00"),
        ("2020-05-31T10:00:00.123456789Z", "2020-05-31T10:00:00.123456+00:00"),
    ],
)
def test_a_date_is_brought_into_iso_8601(said: str, expected: str) -> None:
    assert to_iso(said) == expected
    assert to_iso(expected) == expected
    assert DocumentInfo(creation_date=said, mod_date=said) == DocumentInfo(creation_date=expected, mod_date=expected)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "yesterday",
        "99 Never",
        "D:20201301",
        "D:",
        "2020-02-30",
        "2020-13",
        "0099-01-01",
        "2020-05-31T25:00",
        "3000",
        "9999",
        "9999-12-31T23:59:59-00:01",
        "٢٠٢٠",
    ],
)
def test_what_is_none_stays_as_it_stands(said: str) -> None:
    assert (to_iso(said), interval(said)) == (said, None)
    assert DocumentInfo(creation_date=said).creation_date == said


@given(st.text() | st.from_regex(r"(D:)?[0-9]{4}([-0-9T:.Z+']){0,20}"))
def test_any_text_can_be_read_and_read_again(said: str) -> None:
    assert to_iso(to_iso(said)) == to_iso(said)


LAST = (9999, 12, 31, 23, 59, 59, 999_999)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=ZONES))
def test_every_moment_is_its_own(moment: datetime) -> None:
    assert interval(moment.isoformat(timespec="microseconds")) == (moment, moment + timedelta(microseconds=1))
    assert interval_start(moment.isoformat()) == moment


def test_what_is_not_said_does_not_begin() -> None:
    assert interval_start(None) is interval_start("") is interval_start("some day") is None


@pytest.mark.parametrize(
    ("said", "begin", "end"),
    [
        ("2020", (2020, 1, 1), (2021, 1, 1)),
        ("2020-02", (2020, 2, 1), (2020, 3, 1)),
        ("2020-12", (2020, 12, 1), (2021, 1, 1)),
        ("2020-02-29", (2020, 2, 29), (2020, 3, 1)),
        ("2020-02-29T23:59", (2020, 2, 29, 23, 59), (2020, 3, 1)),
        ("2020-02-29T23:30-01:00", (2020, 3, 1, 0, 30), (2020, 3, 1, 0, 31)),
        ("2020-01-01T00:00:00Z", (2020, 1, 1), (2020, 1, 1, 0, 0, 1)),
        ("3000-01", (3000, 1, 1), (3000, 2, 1)),
        ("9999-12-30", (9999, 12, 30), (9999, 12, 31)),
        ("9999-12", (9999, 12, 1), LAST),
        ("9999-12-31", (9999, 12, 31), LAST),
        ("9999-12-31T23:59:59Z", (9999, 12, 31, 23, 59, 59), LAST),
        ("9999-12-31T23:59:59.999999Z", LAST, LAST),
        ("2020-01-01T00:00:00.5Z", (2020, 1, 1, 0, 0, 0, 500_000), (2020, 1, 1, 0, 0, 0, 500_001)),
    ],
)
def test_a_date_names_a_stretch_of_time(said: str, begin: tuple[int, ...], end: tuple[int, ...]) -> None:
    assert interval(said) == (datetime(*begin, tzinfo=UTC), datetime(*end, tzinfo=UTC))

"""Schedule expressions of the local cloud: AWS's own examples, and anything against a slow, plain reading of them."""

import calendar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from modulo_localstack.cron import Cron
from modulo_localstack.expressions import parse

MONDAY = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"]


def times(expression: str, since: datetime, count: int = 3, zone: str = "UTC") -> list[str]:
    found, anchor = [], since
    for _ in range(count):
        due = parse(expression, zone).first(since, anchor=anchor)
        if due is None:
            break
        found.append(f"{due.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}")
        since = due + timedelta(microseconds=1)
    return found


class TestCron:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("cron(0 10 * * ? *)", ["Tue 2026-03-03 10:00", "Wed 2026-03-04 10:00", "Thu 2026-03-05 10:00"]),
            ("cron(15 12 * * ? *)", ["Mon 2026-03-02 12:15", "Tue 2026-03-03 12:15", "Wed 2026-03-04 12:15"]),
            ("cron(0 18 ? * MON-FRI *)", ["Mon 2026-03-02 18:00", "Tue 2026-03-03 18:00", "Wed 2026-03-04 18:00"]),
            ("cron(0 8 1 * ? *)", ["Wed 2026-04-01 08:00", "Fri 2026-05-01 08:00", "Mon 2026-06-01 08:00"]),
            ("cron(0/10 * ? * MON-FRI *)", ["Mon 2026-03-02 12:10", "Mon 2026-03-02 12:20", "Mon 2026-03-02 12:30"]),
            ("cron(0/5 8-17 ? * 2-6 *)", ["Mon 2026-03-02 12:05", "Mon 2026-03-02 12:10", "Mon 2026-03-02 12:15"]),
            ("cron(0 0 L * ? *)", ["Tue 2026-03-31 00:00", "Thu 2026-04-30 00:00", "Sun 2026-05-31 00:00"]),
            ("cron(0 0 LW * ? *)", ["Tue 2026-03-31 00:00", "Thu 2026-04-30 00:00", "Fri 2026-05-29 00:00"]),
            ("cron(0 0 1W * ? *)", ["Wed 2026-04-01 00:00", "Fri 2026-05-01 00:00", "Mon 2026-06-01 00:00"]),
            ("cron(0 0 1W 8 ? *)", ["Mon 2026-08-03 00:00", "Mon 2027-08-02 00:00", "Tue 2028-08-01 00:00"]),
            ("cron(0 0 31W * ? *)", ["Tue 2026-03-31 00:00", "Fri 2026-05-29 00:00", "Fri 2026-07-31 00:00"]),
            ("cron(0 0 ? * 6L *)", ["Fri 2026-03-27 00:00", "Fri 2026-04-24 00:00", "Fri 2026-05-29 00:00"]),
            ("cron(0 0 ? * L *)", ["Sat 2026-03-07 00:00", "Sat 2026-03-14 00:00", "Sat 2026-03-21 00:00"]),
            ("cron(0 0 ? * 3#2 *)", ["Tue 2026-03-10 00:00", "Tue 2026-04-14 00:00", "Tue 2026-05-12 00:00"]),
            ("cron(0 0 ? * MON#5 *)", ["Mon 2026-03-30 00:00", "Mon 2026-06-29 00:00", "Mon 2026-08-31 00:00"]),
            ("cron(0 0 29 2 ? *)", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00", "Fri 2036-02-29 00:00"]),
            ("cron(0 0 1,15 NOV-FEB ? *)", ["Sun 2026-11-01 00:00", "Sun 2026-11-15 00:00", "Tue 2026-12-01 00:00"]),
            ("cron(0 9 1 1 ? 2027)", ["Fri 2027-01-01 09:00"]),
            ("cron(0 9 1 1 ? 2020)", []),
            ("cron(0 9 30 2 ? *)", []),
        ],
    )
    def test_it_reads_every_field(self, expression: str, expected: list[str]) -> None:
        assert times(expression, MONDAY) == expected

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ("0 10 * * *", "6 fields"),
            ("0 10 * * * *", "must be ?"),
            ("0 10 ? * ? *", "must be ?"),
            ("60 10 * * ? *", "between 0 and 59"),
            ("0 24 * * ? *", "between 0 and 23"),
            ("0 0 32 * ? *", "between 1 and 31"),
            ("0 0 * 13 ? *", "between 1 and 12"),
            ("0 0 ? * 0 *", "between 1 and 7"),
            ("0 0 ? * MON#6 *", "between 1 and 5"),
            ("0 0 * * ? 1969", "between 1970 and 2199"),
            ("0 0 * * ? 2030-2029", "backwards"),
            ("*/0 * * * ? *", "between 1"),
            ("a * * * ? *", "not a number or name"),
            ("-1 * * * ? *", "not a number or name"),
            ("1- * * * ? *", "not a number or name"),
            ("1, * * * ? *", "not a number or name"),
            ("٣ * * * ? *", "not a number or name"),
        ],
    )
    def test_it_says_what_it_cannot_read(self, fields: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason.replace("?", r"\?")):
            Cron.parse(fields)

    def test_clocks_that_skip_an_hour_skip_what_falls_into_it(self) -> None:
        before = datetime(2026, 3, 28, 12, tzinfo=UTC)  # Berlin skips 2 to 3 o'clock on the 29th
        assert times("cron(30 2 * * ? *)", before, zone="Europe/Berlin") == [
            "Mon 2026-03-30 02:30",
            "Tue 2026-03-31 02:30",
            "Wed 2026-04-01 02:30",
        ]

    def test_an_hour_that_clocks_show_twice_counts_once(self) -> None:
        before = datetime(2026, 10, 24, 12, tzinfo=UTC)  # Berlin repeats 2 to 3 o'clock on the 25th
        first = parse("cron(30 2 * * ? *)", "Europe/Berlin").first(before, anchor=before)
        assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        assert times("cron(30 2 * * ? *)", first + timedelta(seconds=1), 1, "Europe/Berlin") == ["Mon 2026-10-26 02:30"]


# A plain reading of each field: what it accepts, minute by minute.
minutes = st.one_of(
    st.just("*"),
    st.integers(0, 59).map(str),
    st.lists(st.integers(0, 59), min_size=1, max_size=4).map(lambda found: ",".join(map(str, found))),
    st.tuples(st.integers(0, 59), st.integers(1, 40)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
    st.tuples(st.integers(0, 30), st.integers(30, 59)).map(lambda pair: f"{pair[0]}-{pair[1]}"),
)
hours = st.one_of(
    st.just("*"),
    st.integers(0, 23).map(str),
    st.tuples(st.integers(0, 23), st.integers(1, 12)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
    st.tuples(st.integers(0, 12), st.integers(12, 23)).map(lambda pair: f"{pair[0]}-{pair[1]}"),
)
months = st.one_of(st.just("*"), st.integers(1, 12).map(str), st.sampled_from(["JAN", "FEB-APR", "3/4", "2,12"]))
days = st.one_of(
    st.tuples(
        st.one_of(st.just("*"), st.integers(1, 31).map(str), st.integers(1, 31).map("{}W".format), st.just("L")),
        st.just("?"),
    ),
    st.tuples(
        st.just("?"),
        st.one_of(
            st.integers(1, 7).map(str),
            st.integers(1, 7).map("{}L".format),
            st.tuples(st.integers(1, 7), st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}"),
            st.sampled_from(["MON-FRI", "SAT,SUN", "L", "*"]),
        ),
    ),
)
WEEK = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
YEAR = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def accepts(field: str, value: int, top: int, names: list[str] | None = None) -> bool:
    def number(text: str) -> int:
        return names.index(text) + 1 if names and text in names else int(text)

    for item in field.split(","):
        span, _, step = item.partition("/")
        low, _, high = span.partition("-")
        if span == "*":
            return True
        last = number(high) if high else top if step else number(low)
        if number(low) <= value <= last and (value - number(low)) % int(step or 1) == 0:
            return True
    return False


def accepts_day(month_day: str, week_day: str, when: datetime) -> bool:
    length = calendar.monthrange(when.year, when.month)[1]
    number = when.isoweekday() % 7 + 1
    if month_day == "L":
        return when.day == length
    if month_day.endswith("W"):
        wanted = int(month_day[:-1])
        if wanted > length:
            return False
        near = [d for d in range(1, length + 1) if calendar.weekday(when.year, when.month, d) < 5]
        return when.day == min(near, key=lambda d: (abs(d - wanted), d != wanted - 1))
    if month_day != "?":
        return accepts(month_day, when.day, 31)
    if week_day == "L":
        return number == 7
    if week_day.endswith("L"):
        return number == int(week_day[:-1]) and when.day + 7 > length
    if "#" in week_day:
        wanted, nth = map(int, week_day.split("#"))
        return number == wanted and (when.day - 1) // 7 + 1 == nth
    return accepts(week_day, number, 7, WEEK)


@given(
    minutes,
    hours,
    days,
    months,
    st.datetimes(datetime(2024, 1, 1), datetime(2031, 12, 31), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
)
@settings(max_examples=150, deadline=None)
def test_the_first_time_is_due_and_none_before_it_is(
    minute: str, hour: str, day: tuple[str, str], month: str, since: datetime, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)

    def due(moment: datetime) -> bool:
        local = moment.astimezone(zone)
        return (
            local.fold == 0
            and accepts(minute, local.minute, 59)
            and accepts(hour, local.hour, 23)
            and accepts(month, local.month, 12, YEAR)
            and accepts_day(*day, local)
        )

    found = Cron.parse(f"{minute} {hour} {day[0]} {month} {day[1]} *").first(since, zone)
    assume(found is not None)  # the 30th of February
    assert found is not None
    assert found >= since
    assert found.second == found.microsecond == 0
    assert due(found)
    step = since.replace(second=0, microsecond=0)
    step += timedelta(minutes=step < since)
    horizon = min(found, step + timedelta(days=3))
    while step < horizon:
        assert not due(step)
        step += timedelta(minutes=1)


class TestRate:
    def test_it_begins_at_once_and_goes_on_evenly(self) -> None:
        assert times("rate(90 minutes)", MONDAY) == [
            "Mon 2026-03-02 12:00",
            "Mon 2026-03-02 13:30",
            "Mon 2026-03-02 15:00",
        ]

    @given(st.integers(1, 10_000), st.integers(-1_000_000, 10_000_000))
    def test_it_counts_from_its_beginning(self, every: int, later: int) -> None:
        since = MONDAY + timedelta(seconds=later)
        due = parse(f"rate({every} minutes)").first(since, anchor=MONDAY)
        assert due is not None
        assert due >= max(since, MONDAY)
        assert (due - MONDAY) % timedelta(minutes=every) == timedelta()
        assert due - timedelta(minutes=every) < max(since, MONDAY)

    @pytest.mark.parametrize(
        "text", ["rate(0 minutes)", "rate(-1 hours)", "rate(5 weeks)", "rate(5)", "rate(999999999 days)"]
    )
    def test_it_refuses_what_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="rate"):
            parse(text)


class TestOnce:
    def test_it_is_due_once_in_its_zone(self) -> None:
        assert times("at(2026-03-03T08:00:05)", MONDAY, zone="America/New_York") == ["Tue 2026-03-03 08:00"]

    def test_it_never_is_when_it_has_passed(self) -> None:
        assert times("at(2026-03-02T12:00:29)", MONDAY) == []

    @pytest.mark.parametrize(
        "text", ["at(2026-02-30T00:00:00)", "at(2026-03-03)", "at(2026-03-03T08:00:00Z)", "every day", ""]
    )
    def test_it_refuses_what_is_none(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011  # the calendar's own words
            parse(text)

    def test_an_unknown_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            parse("rate(1 hour)", "Europe/Atlantis")

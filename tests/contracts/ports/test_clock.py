"""What every clock promises."""

from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from modulo.adapters.system_clock import SystemClock
from modulo.ports.clock import Clock
from tests.doubles.memory_clock import MemoryClock


@pytest.fixture(params=["memory", "system"])
def clock(request: pytest.FixtureRequest) -> Clock:
    return MemoryClock(datetime(2026, 3, 14, tzinfo=UTC)) if request.param == "memory" else SystemClock()


class TestClock:
    def test_it_tells_utc_and_never_goes_back(self, clock: Clock) -> None:
        told = [clock.now() for _ in range(3)]
        assert {moment.utcoffset() for moment in told} == {timedelta(0)}
        assert told == sorted(told)

    def test_a_pause_lasts_as_long_as_it_should(self, clock: Clock) -> None:
        before = clock.now()
        assert clock.pause(0.05, Event()) is False
        assert timedelta(seconds=0.05) <= clock.now() - before + timedelta(milliseconds=1)

    def test_what_has_happened_ends_a_pause_before_it_begins(self, clock: Clock) -> None:
        happened = Event()
        happened.set()
        before = clock.now()
        assert clock.pause(3_600, happened) is True
        assert clock.now() - before < timedelta(seconds=60)


def test_the_system_s_pause_ends_when_it_happens() -> None:
    happened = Event()

    class Happening(Event):
        def wait(self, timeout: float | None = None) -> bool:
            happened.set()
            return happened.wait(timeout)

    assert SystemClock().pause(3_600, Happening()) is True


def test_the_double_moves_when_it_is_told_to() -> None:
    clock = MemoryClock(datetime(2026, 3, 14, tzinfo=UTC))
    before = clock.now()
    assert clock.now() == before
    clock.advance(timedelta(hours=1))
    assert clock.now() - before == timedelta(hours=1)

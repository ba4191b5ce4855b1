"""The machine's clock, and one that tests set."""

from datetime import UTC, datetime, timedelta


class SystemClock:
    """The present."""

    def now(self) -> datetime:
        """See `ports.Clock`."""
        return datetime.now(UTC)


class MemoryClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """See `ports.Clock`."""
        return self._now

    def advance(self, step: timedelta) -> None:
        """Move on."""
        self._now += step

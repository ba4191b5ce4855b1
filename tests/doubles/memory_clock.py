"""A clock that tests set."""

from datetime import datetime, timedelta
from threading import Event


class MemoryClock:
    """Stands still until it is moved; a pause moves it, and takes no time."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """See `ports.Clock`."""
        return self._now

    def pause(self, seconds: float, unless: Event) -> bool:
        """See `ports.Clock`."""
        if not unless.is_set():
            self.advance(timedelta(seconds=seconds))
        return unless.is_set()

    def advance(self, step: timedelta) -> None:
        """Move on."""
        self._now += step

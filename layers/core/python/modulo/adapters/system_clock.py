"""The machine's clock."""

from datetime import UTC, datetime
from threading import Event


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """See `ports.clock.Clock`."""
        return datetime.now(UTC)

    def pause(self, seconds: float, unless: Event) -> bool:
        """See `ports.clock.Clock`."""
        return unless.wait(seconds)

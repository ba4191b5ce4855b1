"""The time."""

from datetime import datetime
from threading import Event
from typing import Protocol


class Clock(Protocol):
    """The time, so that tests may set it."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def pause(self, seconds: float, unless: Event) -> bool:
        """Wait so long, or until the event is set; whether it is."""
        ...

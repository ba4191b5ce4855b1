"""A circuit breaker: a provider that fails again and again is left alone for a while."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Final

FAILURES: Final = 5
"""In a row, after which the circuit opens."""
OPEN_SECONDS: Final = 30.0
"""Until one call may try again; the circuit closes where it succeeds."""


class CircuitBreaker:
    """The state of one provider, shared by all threads of a process."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._opened_at = 0.0

    def admits(self) -> bool:
        """Whether a call may be made; while the circuit is open, one each `OPEN_SECONDS` is."""
        with self._lock:
            now = self._clock()
            if self._failures < FAILURES:
                return True
            if now - self._opened_at < OPEN_SECONDS:
                return False
            self._opened_at = now
            return True

    def succeeded(self) -> None:
        """The provider answered: close the circuit."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """The provider did not answer."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._opened_at = self._clock()

"""The deadline of the request under way, from which the timeout of every call to another service follows.

It travels with the context: to threads that a request starts, and nowhere else. Queue messages and schedules have
none; there each adapter's own timeout holds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic
from typing import Final

from modulo.domain.errors import Unavailable

SHORTEST_SECONDS: Final = 0.05
"""A call that has less time left than this is not begun."""


class Deadline:
    """The moment by which a request ends, so many seconds from now; or earlier, where nobody waits any longer."""

    def __init__(self, seconds: float) -> None:
        self._at = monotonic() + seconds

    def end(self) -> None:
        """Let the deadline pass now: every call that asks for its timeout from here on is refused."""
        self._at = -inf

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self._at - monotonic()


_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Have everything inside end within so many seconds from now."""
    with under(Deadline(seconds)):
        yield


@contextmanager
def under(deadline: Deadline) -> Iterator[None]:
    """Have everything inside end by a deadline that began elsewhere."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining(limit: float) -> float:
    """The timeout for a call that may take `limit` seconds by itself: that, or what is left of the request's time.

    Raises:
        Unavailable: nothing is left.
    """
    deadline = _deadline.get()
    if deadline is None:
        return limit
    left = deadline.left
    if left < SHORTEST_SECONDS:
        raise too_late()
    return min(limit, left)


def too_late() -> Unavailable:
    """What a caller gets whose request could not be answered by its deadline."""
    return Unavailable("The request could not be answered in time: try again shortly.", retry_after=1)

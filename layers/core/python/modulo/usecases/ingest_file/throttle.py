"""An adaptive throttle for calls to a model: one that is throttled is called less often, and with less."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Condition, Event
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from modulo.domain.errors import Throttled, TimedOut, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from modulo.ports.clock import Clock

Result = TypeVar("Result")
WINDOW_STEP = 1 / 8
"""Of a batch: how much the window grows with each answer."""
BASE_DELAY_SECONDS = 1.0
MAX_DELAY_SECONDS = 60.0
SLOW_SECONDS = 20.0
"""Of a call; models are given 60 to answer."""


class _Turn(NamedTuple):
    size: int
    round: int


@dataclass(slots=True)
class AdaptiveThrottle:
    """Shared by the threads that call one model; begins with `concurrency` calls at a time of `batch_size` texts each.

    The window, which is how much may be in progress, grows by addition and shrinks by halves (Chiu and Jain, 1989);
    below one batch, calls become smaller. A throttled call is repeated after the time that the model asked for or,
    where it named none, after a random time whose range doubles with each throttling in a row ("full jitter":
    Brooker, 2015). Meanwhile `keep_alive` is called at least every `keep_alive_seconds`. Nobody waits beyond `until`.

    A model that is slow is called with less, too: after an answer that took longer than `SLOW_SECONDS`, with what
    it would answer in half that time; after one that timed out, with half, down to a single text.
    """

    concurrency: int
    batch_size: int
    until: datetime
    clock: Clock
    keep_alive: Callable[[], None]
    keep_alive_seconds: float
    jitter: Callable[[float, float], float] = random.uniform
    window: float = field(init=False)
    """In batches."""
    _in_progress: int = 0
    _round: int = 0
    _in_row: int = 0
    _not_before: datetime = field(init=False)
    _changed: Condition = field(default_factory=Condition)
    _stopped: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.window = float(self.concurrency)
        self._not_before = self.clock.now()

    def call(self, model: Callable[[int], Result]) -> Result:
        """The answer of `model`, which takes the number of texts that it may send and is repeated while throttled.

        Raises:
            Throttled, Unavailable: the wait would go beyond `until`.
            Exception: whatever else `model` or `keep_alive` raises.
        """
        while True:
            self._enter()
            try:
                turn = self._wait()
                began = self.clock.now()
                try:
                    result = model(turn.size)
                except (Throttled, Unavailable) as error:
                    self._slow_down(turn, error)
                else:
                    self._adapt(turn, (self.clock.now() - began).total_seconds())
                    return result
            finally:
                self._leave()

    def stop(self) -> None:
        """End every wait: waiting calls raise `Throttled`."""
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()

    def _enter(self) -> None:
        with self._changed:
            while self._in_progress >= max(1, int(self.window)) and not self._stopped.is_set():
                self._changed.wait()
            self._in_progress += 1

    def _leave(self) -> None:
        with self._changed:
            self._in_progress -= 1
            self._changed.notify_all()

    def _wait(self) -> _Turn:
        while not self._stopped.is_set() and (left := (self._not_before - self.clock.now()).total_seconds()) > 0:
            self.keep_alive()
            self.clock.pause(min(left, self.keep_alive_seconds), self._stopped)
        if self._stopped.is_set():
            raise Throttled
        return _Turn(max(1, int(min(self.window, 1) * self.batch_size)), self._round)

    def _adapt(self, turn: _Turn, seconds: float) -> None:
        """Call more after an answer; less where it took long."""
        with self._changed:
            self._in_row = 0
            if seconds > SLOW_SECONDS:
                size = turn.size * SLOW_SECONDS / (2 * seconds)
                self.window = max(1 / self.batch_size, min(self.window, size / self.batch_size))
            else:
                self.window = min(float(self.concurrency), self.window + WINDOW_STEP)

    def _slow_down(self, turn: _Turn, error: Throttled | Unavailable) -> None:
        """Call less, and later; calls that were throttled together shrink the window once."""
        too_much = isinstance(error, TimedOut) and turn.size > 1
        if isinstance(error, Unavailable) and error.retry_after is None and not too_much:
            raise error
        with self._changed:
            seconds = float(error.retry_after or 0)
            if turn.round == self._round:
                delay = min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2**self._in_row)
                seconds += self.jitter(0, BASE_DELAY_SECONDS if error.retry_after else delay)
                window = min(self.window, turn.size / self.batch_size) if too_much else self.window
                self.window = max(1 / self.batch_size, window / 2)
                self._round += 1
                self._in_row += 1
            later = self.clock.now() + timedelta(seconds=seconds)
            if later > self.until:
                error.retry_after = math.ceil(seconds)
                raise error
            self._not_before = max(self._not_before, later)

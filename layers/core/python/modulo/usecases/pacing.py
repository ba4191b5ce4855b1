"""How much a model is asked at a time, and when: a model that is throttled slows its askers down."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Condition, Event
from typing import NamedTuple, TypeVar

from modulo.domain.errors import Throttled, Unavailable
from modulo.ports import Clock

Result = TypeVar("Result")
STEP = 1 / 8
"""Of a batch: by so much more is asked after each answer."""
BASE_SECONDS = 1.0
LONGEST_SECONDS = 60.0


class _Turn(NamedTuple):
    size: int
    round: int


@dataclass(slots=True)
class Pace:
    """Shared by the threads that ask one model; it begins with `batches` calls at a time of `batch` texts each.

    How much may be under way grows by addition and shrinks by halves (Chiu and Jain, 1989); where it is less
    than one batch, the calls become smaller. Before a throttled call is made again, the time passes that the
    model asked for or, where it named none, one drawn from a range that doubles with each throttling in a
    row ("full jitter": Brooker, 2015). Meanwhile `keep` is called at least every `keep_seconds`. Nobody waits
    beyond `until`.
    """

    batches: int
    batch: int
    until: datetime
    clock: Clock
    keep: Callable[[], None]
    keep_seconds: float
    chance: Callable[[float, float], float] = random.uniform
    share: float = field(init=False)
    """How many batches may be under way."""
    _under_way: int = 0
    _round: int = 0
    _in_row: int = 0
    _not_before: datetime = field(init=False)
    _changed: Condition = field(default_factory=Condition)
    _stopped: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.share = float(self.batches)
        self._not_before = self.clock.now()

    def through(self, ask: Callable[[int], Result]) -> Result:
        """What `ask` gives, which is told how many texts it may send; it is called again when it was throttled.

        Raises:
            Throttled, Unavailable: waiting as long as the model asks for would take too long.
            Exception: whatever else `ask` or `keep` raises.
        """
        while True:
            self._enter()
            try:
                turn = self._wait()
                try:
                    result = ask(turn.size)
                except (Throttled, Unavailable) as error:
                    self._slow_down(turn, error)
                else:
                    self._speed_up()
                    return result
            finally:
                self._leave()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()

    def _enter(self) -> None:
        with self._changed:
            while self._under_way >= max(1, int(self.share)) and not self._stopped.is_set():
                self._changed.wait()
            self._under_way += 1

    def _leave(self) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def _wait(self) -> _Turn:
        while not self._stopped.is_set() and (left := (self._not_before - self.clock.now()).total_seconds()) > 0:
            self.keep()
            self.clock.pause(min(left, self.keep_seconds), self._stopped)
        if self._stopped.is_set():
            raise Throttled
        return _Turn(max(1, int(min(self.share, 1) * self.batch)), self._round)

    def _speed_up(self) -> None:
        with self._changed:
            self._in_row = 0
            self.share = min(float(self.batches), self.share + STEP)

    def _slow_down(self, turn: _Turn, error: Throttled | Unavailable) -> None:
        """Ask less, and later; calls that were under way together lessen it once."""
        if isinstance(error, Unavailable) and error.retry_after is None:
            raise error
        with self._changed:
            seconds = float(error.retry_after or 0)
            if turn.round == self._round:
                longest = BASE_SECONDS if error.retry_after else min(LONGEST_SECONDS, BASE_SECONDS * 2**self._in_row)
                seconds += self.chance(0, longest)
                self.share = max(1 / self.batch, self.share / 2)
                self._round += 1
                self._in_row += 1
            later = self.clock.now() + timedelta(seconds=seconds)
            if later > self.until:
                error.retry_after = math.ceil(seconds)
                raise error
            self._not_before = max(self._not_before, later)

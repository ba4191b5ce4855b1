"""Messages in this process's memory, gone when it ends."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Condition
from uuid import uuid4

from modulo.domain.operations.messages import Delivery
from modulo.ports.trace import trace_header

VISIBILITY_SECONDS = 960.0


@dataclass(slots=True)
class _Message:
    body: str
    visible_at: float
    id: str = field(default_factory=lambda: str(uuid4()))
    receipt: str = ""
    attempt: int = 0
    trace: str | None = None


class MemoryQueue:
    """A queue that keeps its messages until their deliveries are ended; `clock` counts seconds, never back.

    What was delivered `attempts` times and would be once more goes to the dead letters, where there are any.
    """

    def __init__(
        self,
        dead_letters: "MemoryQueue | None" = None,
        *,
        attempts: int = 4,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._dead_letters = dead_letters
        self._attempts = attempts
        self._messages: list[_Message] = []
        self._changed = Condition()

    def send(self, body: Mapping[str, object], *, delay_seconds: int = 0) -> None:
        """Add a message, a JSON object, to be delivered after so many seconds."""
        self._add(_Message(json.dumps(dict(body)), self._clock() + delay_seconds, trace=trace_header()))

    def receive(self, *, limit: int, wait_seconds: int) -> list[Delivery]:
        """Up to `limit` messages, oldest first; where there is none yet, wait so long for one."""
        with self._changed:
            if not self._visible():
                self._changed.wait(wait_seconds)
            return [self._delivered(message) for message in self._visible()[:limit]]

    def delete(self, receipt: str) -> None:
        """End a delivery: its message was handled."""
        with self._changed:
            self._messages = [message for message in self._messages if message.receipt != receipt]

    def postpone(self, receipt: str, seconds: int) -> None:
        """Have a delivery's message delivered again after so many seconds."""
        with self._changed:
            for message in self._messages:
                if message.receipt == receipt:
                    message.visible_at = self._clock() + seconds
            self._changed.notify()

    def pending(self) -> int:
        """How many messages it holds: those that wait, and those delivered and not ended yet."""
        with self._changed:
            self._visible()  # what is given up leaves by that
            return len(self._messages)

    def ping(self) -> None:
        """Memory always answers."""

    def _add(self, message: _Message) -> None:
        with self._changed:
            self._messages.append(message)
            self._changed.notify()

    def _visible(self) -> list[_Message]:
        now = self._clock()
        visible = [message for message in self._messages if message.visible_at <= now]
        if self._dead_letters is None:
            return visible
        for message in [message for message in visible if message.attempt >= self._attempts]:
            visible.remove(message)
            self._messages.remove(message)
            self._dead_letters._add(_Message(message.body, now, message.id, trace=message.trace))
        return visible

    def _delivered(self, message: _Message) -> Delivery:
        message.attempt += 1
        message.receipt = str(uuid4())
        message.visible_at = self._clock() + VISIBILITY_SECONDS
        return Delivery(message.id, message.receipt, message.body, message.attempt, trace=message.trace)

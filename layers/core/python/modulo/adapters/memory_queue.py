"""Messages in this process's memory, gone when it ends."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Condition
from uuid import uuid4

from modulo.domain.transfer import Delivery

VISIBILITY_SECONDS = 960.0


@dataclass(slots=True)
class _Message:
    body: str
    visible_at: float
    id: str = field(default_factory=lambda: str(uuid4()))
    receipt: str = ""
    attempt: int = 0


class MemoryQueue:
    """A queue that keeps its messages until their deliveries are ended; `clock` counts seconds, never back."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._messages: list[_Message] = []
        self._changed = Condition()

    def send(self, body: Mapping[str, object]) -> None:
        """Add a message: a JSON object."""
        message = _Message(json.dumps(dict(body)), self._clock())
        with self._changed:
            self._messages.append(message)
            self._changed.notify()

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

    def ping(self) -> None:
        """Memory always answers."""

    def _visible(self) -> list[_Message]:
        now = self._clock()
        return [message for message in self._messages if message.visible_at <= now]

    def _delivered(self, message: _Message) -> Delivery:
        message.attempt += 1
        message.receipt = str(uuid4())
        message.visible_at = self._clock() + VISIBILITY_SECONDS
        return Delivery(message.id, message.receipt, message.body, message.attempt)

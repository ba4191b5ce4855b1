"""Message queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modulo.domain.operations.messages import Delivery


class Queue(Protocol):
    """A queue of one kind of message, delivered at least once."""

    def send(self, body: Mapping[str, object], *, delay_seconds: int = 0) -> None:
        """Send a message, a JSON object, to be delivered after `delay_seconds`."""
        ...

    def receive(self, *, limit: int, wait_seconds: int) -> list[Delivery]:
        """Up to `limit` messages; waits up to `wait_seconds` for the first."""
        ...

    def delete(self, receipt: str) -> None:
        """Delete a delivered message: it was handled."""
        ...

    def postpone(self, receipt: str, seconds: int) -> None:
        """Have a delivered message delivered again after so many seconds."""
        ...

    def pending(self) -> int:
        """About how many messages the queue holds: waiting, delayed and in flight."""
        ...

    def ping(self) -> None:
        """Check that the queue answers."""
        ...

"""The queue of a part that is not used."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modulo.domain.operations.messages import Delivery


class NoQueue:
    """Drops what is sent to it; always empty."""

    def send(self, body: Mapping[str, object], *, delay_seconds: int = 0) -> None:
        """Drop the message."""

    def receive(self, *, limit: int, wait_seconds: int) -> list[Delivery]:  # noqa: ARG002 - as the port has it
        """Nothing, after `wait_seconds`: whoever polls must not do so without a pause."""
        Event().wait(wait_seconds)
        return []

    def delete(self, receipt: str) -> None:
        """Nothing was delivered."""

    def postpone(self, receipt: str, seconds: int) -> None:
        """Nothing was delivered."""

    def pending(self) -> int:
        """None."""
        return 0

    def ping(self) -> None:
        """Nothing to ask."""

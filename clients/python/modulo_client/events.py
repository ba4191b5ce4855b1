"""Server-sent events, and what an answer's stream tells by them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its name and what it says."""

    name: str
    data: dict[str, Any]


class EventParser:
    """Makes events of the lines of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

    def __init__(self) -> None:
        self._name = "message"
        self._data: list[str] = []

    def feed(self, line: str) -> Event | None:
        """Take a line without its end; the event that it completes, if it does. Comments are heartbeats."""
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                self._name = value
            elif name == "data":
                self._data.append(value)
            return None
        found = Event(self._name, json.loads("\n".join(self._data))) if self._data else None
        self._name, self._data = "message", []
        return found

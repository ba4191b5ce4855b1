"""Messages in this process's memory, gone when it ends."""

import json
from collections.abc import Mapping
from threading import Lock
from typing import Any


class MemoryQueue:
    """A queue that keeps its messages until someone takes them."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._lock = Lock()

    def send(self, body: Mapping[str, object]) -> None:
        """Add a message, as it would arrive: through JSON and back."""
        message = json.loads(json.dumps(dict(body)))
        with self._lock:
            self.messages.append(message)

    def take(self, limit: int = 10) -> list[dict[str, Any]]:
        """Remove and return the oldest messages, at most `limit`."""
        with self._lock:
            taken, self.messages[:limit] = self.messages[:limit], []
        return taken

    def ping(self) -> None:
        """Memory always answers."""

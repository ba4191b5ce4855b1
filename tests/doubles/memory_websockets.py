"""Connections in this process's memory."""

from collections import defaultdict


class MemoryWebSockets:
    """What was said on each connection; all are there but those that were closed."""

    def __init__(self) -> None:
        self.said: defaultdict[str, list[str]] = defaultdict(list)
        self.closed: set[str] = set()

    def send(self, connection_id: str, message: str) -> bool:
        """Send a message; False where the connection is gone."""
        if connection_id in self.closed:
            return False
        self.said[connection_id].append(message)
        return True

    def disconnect(self, connection_id: str) -> None:
        """Close the connection, if it is still open."""
        self.closed.add(connection_id)

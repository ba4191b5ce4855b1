"""WebSocket connections."""

from typing import Protocol


class WebSockets(Protocol):
    """WebSocket connections that API Gateway keeps, each identified by its id."""

    def send(self, connection_id: str, message: str) -> bool:
        """Send a message; False where the connection is gone."""
        ...

    def disconnect(self, connection_id: str) -> None:
        """Close the connection, if it is still open."""
        ...

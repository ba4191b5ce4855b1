"""Connections of an API Gateway that is not used."""


class NoWebSockets:
    """Knows of no connection."""

    def send(self, connection_id: str, message: str) -> bool:  # noqa: ARG002 - as the port has it
        """False: the connection is gone."""
        return False

    def disconnect(self, connection_id: str) -> None:
        """There is none to close."""

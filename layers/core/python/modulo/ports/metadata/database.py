"""The database itself."""

from typing import Protocol


class Database(Protocol):
    """Whether the database answers, for health checks and warm starts."""

    def ping(self) -> None:
        """Ask for something small, of the writer and of the reader."""
        ...

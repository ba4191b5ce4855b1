"""Secrets that are kept elsewhere and may change at any time."""

from typing import Protocol


class Secret(Protocol):
    """One secret."""

    def value(self) -> str:
        """The secret, as read last.

        Raises:
            Unavailable: it was never read, and cannot be now.
        """
        ...

    def renewed(self, refused: str) -> str | None:
        """What the secret is now, if it is no longer `refused`, which somebody did not accept.

        Raises:
            Unavailable: it cannot be read.
        """
        ...

"""Turns of tests in several processes: those with the marker `serial` run while no other test does."""

import fcntl
from pathlib import Path


class Turns:
    """The turn of this process's test, kept in two locks that all processes of a run share.

    A test takes `next`, waits for `running`, which tests share unless they are serial, and passes `next` on. So a
    serial test that waits keeps further tests from beginning.
    """

    def __init__(self, folder: Path) -> None:
        self._next = (folder / "turn.next").open("w")
        self._running = (folder / "turn.running").open("w")

    def take(self, *, serial: bool) -> None:
        """Wait for the turn of a test."""
        fcntl.flock(self._next, fcntl.LOCK_EX)
        fcntl.flock(self._running, fcntl.LOCK_EX if serial else fcntl.LOCK_SH)
        fcntl.flock(self._next, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the locks' files."""
        self._next.close()
        self._running.close()

    def end(self) -> None:
        """End the turn, if it has not ended yet."""
        fcntl.flock(self._running, fcntl.LOCK_UN)

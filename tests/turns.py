"""Turns of tests in several processes: those with the marker `serial` run while no other test does.

Their fixtures are set up beside other tests, in a turn of the ordinary kind: starting servers is not what they measure.
"""

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
        """Wait for the turn of a test, which takes the place of one that this process has.

        That one ends first: two that kept theirs while they wait to be serial would wait for each other.
        """
        self.end()
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

"""A lock on a data directory, held for as long as any process that uses it lives."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from modulo.cli.stack.process import StackError


class AlreadyRunning(StackError):
    """Another stack uses the data directory."""


class Lock:
    """Held from `acquire` until `release` and the end of every process that inherited `descriptor`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.descriptor = -1

    def acquire(self, *, patience: float = 15) -> None:
        """Take the lock; where its owner died, wait for the servers it left to end.

        Raises:
            AlreadyRunning: its owner lives, or what it left did not end.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_up = time.monotonic() + patience
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            owner, _, note = os.pread(descriptor, 1_000, 0).decode().partition(" ")
            if _is_alive(owner) or time.monotonic() > give_up:
                os.close(descriptor)
                raise AlreadyRunning(
                    f"Modulo is running on {self._path.parent} already: process {owner} {note}".rstrip()
                )
            time.sleep(0.1)
        self.descriptor = descriptor
        self.note("")

    def note(self, text: str) -> None:
        """Tell whoever finds the lock taken who holds it."""
        os.truncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()} {text}".encode(), 0)

    def release(self) -> None:
        """Give the lock up."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        pass
    return True

"""A lock on a data directory, held while any process that uses it is alive."""

import fcntl
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from modulo.cli.stack.process import StackError, is_alive

PROCESSES = Path("/proc")
GRACE_SECONDS = 5.0
"""How long servers whose stack was killed may take to stop by themselves; their death signal has been sent."""


class AlreadyRunning(StackError):
    """The data directory is in use by another stack."""


class Lock:
    """Held from `acquire` until `release` and until every process that inherited `descriptor` has exited."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.descriptor = -1

    def acquire(self, *, grace: float = GRACE_SECONDS, timeout: float = 15) -> None:
        """Take the lock. If its owner has died, its servers get `grace` seconds to exit and are then killed.

        Raises:
            AlreadyRunning: the owner is alive, or its servers did not exit within `timeout` seconds.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        started, left = time.monotonic(), None
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            owner, _, note = os.pread(descriptor, 1_000, 0).decode().partition(" ")
            waited = time.monotonic() - started
            if self._is_held_by(owner) or waited > timeout:
                os.close(descriptor)
                raise AlreadyRunning(
                    f"Modulo is already running on {self._path.parent}: process {owner} {note}".rstrip()
                )
            if left is None:
                left = set(self._holders())
                signal_groups(left, signal.SIGCONT)  # a suspended process does not see that it is to stop
            elif waited > grace:
                signal_groups(left.intersection(self._holders()), signal.SIGKILL)  # not another stack that came first
            time.sleep(0.1)
        self.descriptor = descriptor
        self.note("")

    def note(self, text: str) -> None:
        """Store this process's id and a text, which `AlreadyRunning` shows."""
        os.truncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()} {text}".encode(), 0)

    def wake_servers(self) -> None:
        """Resume the stack's processes that are suspended, so that they see that they are to stop."""
        signal_groups(self._servers(), signal.SIGCONT)

    def kill_servers(self) -> None:
        """Kill what the stack's processes left behind: children of a server that died before them."""
        signal_groups(self._servers(), signal.SIGKILL)

    def _servers(self) -> list[int]:
        mine = os.getpid()
        return [pid for pid in self._holders() if mine not in (pid, parent_of(pid))]

    def release(self) -> None:
        """Release the lock."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _is_held_by(self, owner: str) -> bool:
        """Whether the owner is alive, and not a later process that got the same id."""
        if not owner.isdigit() or not is_alive(int(owner)):
            return False
        return not PROCESSES.exists() or int(owner) in self._holders()

    def _holders(self) -> Iterator[int]:
        """The processes that hold the lock, not those that wait for it; none where the system does not tell."""
        path = self._path.resolve()
        for process in PROCESSES.glob("[0-9]*"):
            if any(_is_lock(process, name, path) for name in _open_files(process)):
                yield int(process.name)


def _is_lock(process: Path, name: str, path: Path) -> bool:
    """Whether an open file of a process is the lock, held."""
    with suppress(OSError):  # the process has ended, or belongs to another user
        # Compared by name: asking for the file itself would hang where a file system of another process does.
        return (process / "fd" / name).readlink() == path and "FLOCK" in (process / "fdinfo" / name).read_text()
    return False


def _open_files(process: Path) -> list[str]:
    """The numbers of a process's open files; none where it has ended meanwhile, or belongs to another user."""
    with suppress(OSError):
        return [link.name for link in (process / "fd").iterdir()]
    return []


def parent_of(pid: int) -> int:
    """The parent's process id; 0 if there is no such process."""
    try:
        status = (PROCESSES / str(pid) / "stat").read_text()
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[1])  # the name before may hold anything


def signal_groups(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal the process groups that these processes lead, as every server does, and the others alone."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(pid) == pid:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)

"""One process: started with a log file, watched until it is ready, stopped with all its children."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modulo.cli.stack import launch
from modulo.cli.stack.account import Account

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)  # below the range from which systems pick the ports of outgoing connections


class StackError(Exception):
    """A process of the embedded stack did not start, or ended by itself."""


def plain_environment() -> dict[str, str]:
    """What any program needs of the environment; nothing that could steer a server elsewhere."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Program:
    """What to run and how to end it."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=plain_environment)  # all of it
    account: Account | None = None
    stop: signal.Signals = signal.SIGTERM
    listens: bool = False  # whether its standard input waits for `Process.tell`


class Process:
    """A running program; the leader of its own session, so that a terminal's Ctrl-C reaches only us.

    It gets the program's stop signal when the thread that made it ends, however that comes about.
    """

    def __init__(self, name: str, program: Program, log: Path, *, keep_open: Sequence[int] = ()) -> None:
        self.name = name
        self.log = log
        self._stop_signal = program.stop
        account = program.account or Account(-1, -1)
        keep = -1 if account.capability is None else account.capability
        launcher = [launch.__file__, os.getpid(), int(program.stop), account.user, account.group, keep]
        argv = [sys.executable, "-I", "-S", *map(str, launcher), *program.argv]
        with log.open("ab") as output:
            self._offset = output.seek(0, os.SEEK_END)
            self._popen = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if program.listens else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(program.environment),
                cwd="/",
                start_new_session=True,
                pass_fds=keep_open,
            )

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._popen.poll()

    def wait(self) -> int:
        """Wait for it to end by itself; what it ended with."""
        return self._popen.wait()

    def tell(self, text: str) -> None:
        """Write to its standard input, and close that."""
        if self._popen.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self._popen.stdin as stdin:  # it died: `returncode` says so
                stdin.write(text.encode())

    def await_ready(self, probe: Callable[[], bool], *, timeout: float) -> None:
        """Ask until it says that it is ready, for at most `timeout` seconds.

        Raises:
            StackError: it ended, or was not ready in time.
        """
        give_up = time.monotonic() + timeout
        pause = 0.01
        while not probe():
            if self.returncode is not None:
                raise StackError(self.obituary())
            if time.monotonic() > give_up:
                raise StackError(f"{self.name} was not ready within {timeout:.0f} s.\n{self.tail()}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)

    def signal_stop(self) -> None:
        """Ask it to end."""
        if self.returncode is None:
            self._popen.send_signal(self._stop_signal)

    def stop(self, *, within: float) -> None:
        """Ask it to end, wait, then end it and whatever it left behind in its process group."""
        self.signal_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(within)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        if self._popen.stdin is not None:
            self._popen.stdin.close()

    def obituary(self) -> str:
        """How it ended, with the end of its log."""
        return f"{self.name} ended {_reason(self.returncode)}.\n{self.tail()}"

    def tail(self, lines: int = 20) -> str:
        """Where the log is, and the last lines that this run wrote to it."""
        with self.log.open("rb") as log:
            log.seek(max(self._offset, log.seek(0, os.SEEK_END) - 20_000))
            last = log.read().decode(errors="replace").splitlines()[-lines:]
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in last or ["(nothing)"])])


def _reason(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"on {signal.Signals(-returncode).name}"
    return f"with exit code {returncode}"


def is_free(port: int) -> bool:
    """Whether nothing listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what merely closed a moment ago does not count
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port on which nothing listens.

    Raises:
        StackError: there is none.
    """
    for port in random.SystemRandom().sample(PORTS, k=200):
        if is_free(port):
            return port
    raise StackError(f"no free port among 200 tried between {PORTS.start} and {PORTS.stop}")


def answers_http(port: int, path: str, *, timeout: float = 2) -> bool:
    """Whether GET `path` answers 200."""
    return b" 200 " in http_answer(port, path, timeout=timeout).partition(b"\r\n")[0]


def http_answer(port: int, path: str, *, bearer: str = "", timeout: float = 2) -> bytes:
    """The first bytes of what GET `path` answers, headers included; none where nothing answers."""
    headers = [f"Host: {HOST}:{port}", "Connection: close", *([f"Authorization: Bearer {bearer}"] if bearer else [])]
    return exchange(port, "\r\n".join([f"GET {path} HTTP/1.1", *headers, "", ""]).encode(), timeout=timeout)


def exchange(port: int, request: bytes, *, timeout: float = 2) -> bytes:
    """The first bytes that are answered to a request; none where nothing answers."""
    try:
        with socket.create_connection((HOST, port), timeout=timeout) as connection:
            connection.sendall(request)
            return connection.recv(4_096)
    except OSError:
        return b""

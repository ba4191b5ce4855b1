"""Starts a process with a log file, waits until it is ready, and stops it with its children; port and HTTP probes."""

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
PORTS = range(20_000, 32_000)  # below the usual range of ephemeral ports


class StackError(Exception):
    """A process of the embedded stack did not start, or exited unexpectedly."""


def plain_environment() -> dict[str, str]:
    """A minimal environment without variables that could reconfigure a server."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Program:
    """A program to run, and the signal that stops it."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=plain_environment)  # complete, nothing is inherited
    account: Account | None = None
    stop: signal.Signals = signal.SIGTERM
    reads_stdin: bool = False  # whether it waits for `Process.write_stdin`
    keep_open: tuple[int, ...] = ()  # file descriptors to inherit


class Process:
    """A running program, in its own session, so that Ctrl-C in the terminal does not reach it.

    It gets the program's stop signal when the thread that started it ends for any reason.
    """

    def __init__(self, name: str, program: Program, log: Path, *, keep_open: Sequence[int] = ()) -> None:
        self.name = name
        self.log = log
        self._stop_signal = program.stop
        self._signalled = False
        account = program.account or Account(-1, -1)
        keep = -1 if account.capability is None else account.capability
        launcher = [launch.__file__, os.getpid(), int(program.stop), account.user, account.group, keep]
        argv = [sys.executable, "-I", "-S", *map(str, launcher), *program.argv]
        with log.open("ab") as output:
            self._offset = output.seek(0, os.SEEK_END)
            self._popen = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if program.reads_stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(program.environment),
                cwd="/",
                start_new_session=True,
                pass_fds=(*keep_open, *program.keep_open),
            )

    @property
    def pid(self) -> int:
        """The process id, which is also the process group's id."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; None while the process runs."""
        return self._popen.poll()

    def wait(self) -> int:
        """Wait for the process to exit; its exit code."""
        return self._popen.wait()

    def write_stdin(self, text: str) -> None:
        """Write the text to the process's standard input and close it."""
        if self._popen.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self._popen.stdin as stdin:  # it exited; `returncode` shows that
                stdin.write(text.encode())

    def await_ready(self, probe: Callable[[], bool], *, timeout: float) -> None:
        """Call `probe` until it returns true, for at most `timeout` seconds.

        Raises:
            StackError: the process exited, or was not ready in time; with the end of its log.
        """
        give_up = time.monotonic() + timeout
        pause = 0.01
        while not probe():
            if self.returncode is not None:
                raise StackError(self.exit_report())
            if time.monotonic() > give_up:
                raise StackError(f"{self.name} was not ready within {timeout:.0f} s.\n{self.tail()}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)

    def signal_stop(self) -> None:
        """Send the stop signal, once, if the process is running; wake it and its children if they are suspended.

        A second SIGINT would interrupt a Python server while it closes its files.
        """
        if self.returncode is None:
            if not self._signalled:
                self._popen.send_signal(self._stop_signal)
                self._signalled = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGCONT)  # a suspended process handles no other signal but SIGKILL

    def stop(self, *, within: float) -> None:
        """Send the stop signal, wait up to `within` seconds, then kill what is left of its process group."""
        self.signal_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(within)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        if self._popen.stdin is not None:
            self._popen.stdin.close()

    def exit_report(self) -> str:
        """How the process exited, with the end of its log."""
        return f"{self.name} {_reason(self.returncode)}.\n{self.tail()}"

    def tail(self, lines: int = 20) -> str:
        """The log's path and the last lines that this run wrote to it."""
        with self.log.open("rb") as log:
            log.seek(max(self._offset, log.seek(0, os.SEEK_END) - 20_000))
            last = log.read().decode(errors="replace").splitlines()[-lines:]
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in last or ["(nothing)"])])


def _reason(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"was killed by {signal.Signals(-returncode).name}"
    return f"exited with code {returncode}"


def is_alive(pid: int) -> bool:
    """Whether there is a process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def is_free(port: int) -> bool:
    """Whether nothing listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ignore connections in TIME_WAIT
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A random port on which nothing listens.

    Raises:
        StackError: none was found.
    """
    for port in random.SystemRandom().sample(PORTS, k=200):
        if is_free(port):
            return port
    raise StackError(f"no free port among 200 tried between {PORTS.start} and {PORTS.stop}")


def answers_http(port: int, path: str, *, bearer: str = "", timeout: float = 2) -> bool:
    """Whether GET `path` answers 200."""
    return b" 200 " in http_answer(port, path, bearer=bearer, timeout=timeout).partition(b"\r\n")[0]


def http_answer(port: int, path: str, *, bearer: str = "", timeout: float = 2) -> bytes:
    """The first 4 KiB of the response to GET `path`, headers included; empty if there is no response."""
    headers = [f"Host: {HOST}:{port}", "Connection: close", *([f"Authorization: Bearer {bearer}"] if bearer else [])]
    return exchange(port, "\r\n".join([f"GET {path} HTTP/1.1", *headers, "", ""]).encode(), timeout=timeout)


def exchange(port: int, request: bytes, *, timeout: float = 2) -> bytes:
    """Send bytes and return the first 4 KiB of the response; empty if there is none."""
    try:
        with socket.create_connection((HOST, port), timeout=timeout) as connection:
            connection.sendall(request)
            return connection.recv(4_096)
    except OSError:
        return b""

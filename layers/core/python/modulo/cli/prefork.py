"""A prefork server: several processes on one port, forked after all imports.

Each process has its own listening socket (SO_REUSEPORT), and the kernel distributes new connections among them.
With one shared socket, the process that wakes first would accept every waiting connection.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from time import monotonic
from typing import Final

from modulo.domain.errors import ModuloError

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
MIN_LIFE_SECONDS: Final = 5.0
"""A process that exits sooner than this is broken; the server stops instead of restarting it."""
POLL_SECONDS: Final = 0.5
Serve = Callable[[socket.socket], None]


class WorkerFailed(ModuloError):
    """A process exited right after its start; its log says why."""


def listener(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket. With `shared`, other processes of this user may listen on the same port.

    Raises:
        OSError: the address is not local, or the port is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=family, backlog=2_048, reuse_port=shared)
    # Accepted connections inherit TCP_NODELAY. asyncio sets it only on sockets with an explicit protocol, which this
    # one lacks. Without it, the second half of a response waits 40 ms for the client's delayed ACK.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


class PreforkServer:
    """Runs `number` processes until a stop signal; a process that exits is replaced.

    `serve` runs in each process with its listening socket. `on_exit` gets the process id of each replaced one.
    """

    def __init__(self, host: str, port: int, number: int, serve: Serve, *, on_exit: Callable[[int], None]) -> None:
        listener(host, port).close()  # fails if another server of this user already listens on the port
        self._sockets = [listener(host, port, shared=True)]
        port = self._sockets[0].getsockname()[1]
        self._sockets += [listener(host, port, shared=True) for _ in range(number - 1)]
        self._serve = serve
        self._on_exit = on_exit
        self._stopping = False
        self._children: list[tuple[ForkProcess, float]] = []

    def run(self, stop_seconds: float) -> None:
        """Serve until SIGINT or SIGTERM; processes still alive after `stop_seconds` are killed.

        Raises:
            WorkerFailed: a process exited right after its start.
        """
        before = {number: signal.signal(number, self._stop) for number in STOP_SIGNALS}
        try:
            self._children = [self._fork(index) for index in range(len(self._sockets))]
            while not self._stopping:
                wait([child.sentinel for child, _ in self._children], POLL_SECONDS)
                self._replace_ended()
        finally:
            self._stop_children(stop_seconds)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _replace_ended(self) -> None:
        for index, (child, started) in enumerate(self._children):
            if child.is_alive() or self._stopping:
                continue
            if monotonic() - started < MIN_LIFE_SECONDS:
                raise WorkerFailed(f"A server process exited right after its start, with code {child.exitcode}.")
            self._on_exit(child.pid or 0)
            self._children[index] = self._fork(index)

    def _fork(self, index: int) -> tuple[ForkProcess, float]:
        child = get_context("fork").Process(target=self._run_child, args=(index,))
        child.start()
        return child, monotonic()

    def _run_child(self, index: int) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, exit_cleanly)
        for other, unused in enumerate(self._sockets):
            if other != index:
                unused.close()
        threading.Thread(target=_exit_with_parent, daemon=True).start()
        self._serve(self._sockets[index])

    def _stop_children(self, seconds: float) -> None:
        for unused in self._sockets:  # a socket accepts connections as long as any process holds it open
            unused.close()
        for child, _ in self._children:
            with suppress(ProcessLookupError):
                child.terminate()
        until = monotonic() + seconds
        for child, _ in self._children:
            child.join(max(0.0, until - monotonic()))
            if child.is_alive():
                child.kill()
                child.join()


def exit_cleanly(*_: object) -> None:
    """Signal handler: exit with code 0."""
    raise SystemExit(0)


def _exit_with_parent() -> None:
    parent = parent_process()
    if parent:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

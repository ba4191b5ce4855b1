"""Several processes behind one port, forked from one that has loaded everything.

Each has a listening socket of its own; the kernel shares new connections out among them. One shared
socket would not do: the process that wakes first takes every connection that waits.
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
QUICK_SECONDS: Final = 5.0
"""A process that ends sooner than this did not serve: another would fare no better."""
LOOK_SECONDS: Final = 0.5
Serve = Callable[[socket.socket], None]


class BrokenProcess(ModuloError):
    """A process could not serve; what it logged says why."""


def listener(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; a shared one lets others of this user listen on the same port.

    Raises:
        OSError: the address is not ours, or taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=family, backlog=2_048, reuse_port=shared)
    # Connections inherit it. asyncio sets it only where a socket names its protocol, which this one does not:
    # without it the second half of an answer waits 40 ms for the client's kernel.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


class Processes:
    """So many processes that serve, until a signal to stop or until one cannot; one that dies is replaced."""

    def __init__(self, host: str, port: int, number: int, serve: Serve, *, on_death: Callable[[int], None]) -> None:
        listener(host, port).close()  # else another server of this user would get a part of the requests
        self._sockets = [listener(host, port, shared=True)]
        port = self._sockets[0].getsockname()[1]
        self._sockets += [listener(host, port, shared=True) for _ in range(number - 1)]
        self._serve = serve
        self._on_death = on_death
        self._stopping = False
        self._children: list[tuple[ForkProcess, float]] = []

    def run(self, stop_seconds: float) -> None:
        """Serve; once stopped, a process has so many seconds to end by itself.

        Raises:
            BrokenProcess: one ended just after its start.
        """
        before = {number: signal.signal(number, self._stop) for number in STOP_SIGNALS}
        try:
            self._children = [self._forked(index) for index in range(len(self._sockets))]
            while not self._stopping:
                wait([child.sentinel for child, _ in self._children], LOOK_SECONDS)
                self._replace_dead()
        finally:
            self._end(stop_seconds)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _replace_dead(self) -> None:
        for index, (child, started) in enumerate(self._children):
            if child.is_alive() or self._stopping:
                continue
            if monotonic() - started < QUICK_SECONDS:
                raise BrokenProcess(f"A process ended at once, with code {child.exitcode}.")
            self._on_death(child.pid or 0)
            self._children[index] = self._forked(index)

    def _forked(self, index: int) -> tuple[ForkProcess, float]:
        child = get_context("fork").Process(target=self._child, args=(index,))
        child.start()
        return child, monotonic()

    def _child(self, index: int) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, leave)
        for other, unused in enumerate(self._sockets):
            if other != index:
                unused.close()
        threading.Thread(target=_end_with_parent, daemon=True).start()
        self._serve(self._sockets[index])

    def _end(self, seconds: float) -> None:
        for unused in self._sockets:  # a socket accepts for as long as any process holds it
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


def leave(*_: object) -> None:
    """End this process on a signal, as one that did what it was told."""
    raise SystemExit(0)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

"""What goes over connections: how often, how much, and for how long a server was busy with it."""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import grpc
from sqlalchemy import Engine, event

from modulo.cli.stack.process import HOST

SERVERS = {
    "postgres": "DATABASE_URL",
    "valkey": "CACHE_URL",
    "milvus": "MILVUS_URI",
    "models": "EMBEDDING_URL",
    "cloud": "AWS_ENDPOINT_URL",
}
"""The setting that tells where each server is."""
Interval = tuple[float, float]


@dataclass(slots=True)
class _Turn:
    """What happened last on a connection: moments of `perf_counter`."""

    asked: float = 0.0
    answered: float = 0.0


class Wire:
    """Listens on a port of its own; counts bytes, and exchanges: how often a client spoke after the server had.

    Several requests sent at once are one exchange. `exchanges` holds each, from its last byte sent to its last
    byte received: the time for which the server had something to do.
    """

    def __init__(self, port: int, count: Callable[[str, int], None]) -> None:
        self._target = (HOST, port)
        self._count = count
        self._turns: list[_Turn] = []
        self._ended: list[Interval] = []
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def exchanges(self) -> list[Interval]:
        """Those that were answered, in no order."""
        return [*self._ended, *((turn.asked, turn.answered) for turn in self._turns if turn.answered)]

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                for one in (near, far):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                turn = _Turn()
                self._turns.append(turn)
                for source, sink, work in ((near, far, self._sent), (far, near, self._received)):
                    threading.Thread(target=_pass, args=(source, sink, partial(work, turn)), daemon=True).start()

    def _sent(self, turn: _Turn, size: int) -> None:
        if turn.answered:
            self._ended.append((turn.asked, turn.answered))
        if turn.answered or not turn.asked:
            self._count("exchanges", 1)
        turn.asked, turn.answered = perf_counter(), 0.0
        self._count("sent", size)

    def _received(self, turn: _Turn, size: int) -> None:
        if turn.asked:  # not a server's greeting
            turn.answered = perf_counter()
        self._count("received", size)


def _pass(source: socket.socket, sink: socket.socket, seen: Callable[[int], None]) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65_536):
            seen(len(block))
            sink.sendall(block)
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def busy_seconds(intervals: Iterable[Interval], since: float, until: float) -> float:
    """For how long at least one of the intervals lasted, between two moments."""
    total, end = 0.0, since
    for start, stop in sorted(intervals):
        start, stop = max(start, end), min(stop, until)  # noqa: PLW2901 - what is left of it
        if stop > start:
            total += stop - start
            end = stop
    return total


class Counts(Counter[tuple[str, str]]):
    """What was counted, by server and kind: statements, calls, exchanges, sent, received (both in bytes)."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def add(self, server: str, kind: str, number: int = 1) -> None:
        """Count; threads may do so at once."""
        with self._lock:
            self[server, kind] += number


@contextmanager
def wired(environment: Mapping[str, str]) -> Iterator[tuple[dict[str, Wire], Counts, dict[str, str]]]:
    """A wire to each server, what goes over them, and the environment of whoever shall use them."""
    counts = Counts()
    with ExitStack() as stack:
        wires, rewired = {}, dict(environment)
        for server, variable in SERVERS.items():
            port = urlsplit(environment[variable]).port or 0
            wires[server] = wire = Wire(port, partial(counts.add, server))
            stack.callback(wire.close)
            old, new = f"{HOST}:{port}", f"{HOST}:{wire.port}"
            rewired = {name: value.replace(old, new) for name, value in rewired.items()}
        yield wires, counts, rewired


@contextmanager
def counted(environment: Mapping[str, str]) -> Iterator[tuple[Counts, dict[str, str]]]:
    """Counts of everything sent by this process under the new environment, with statements and Milvus' calls."""
    opened = grpc.insecure_channel
    with wired(environment) as (_, counts, rewired):

        def watched(*args: Any, **options: Any) -> Any:
            return grpc.intercept_channel(opened(*args, **options), _Calls(counts))

        def note(*_: object) -> None:
            counts.add("postgres", "statements")

        event.listen(Engine, "before_cursor_execute", note)
        try:
            with mock.patch.object(grpc, "insecure_channel", watched):
                yield counts, rewired
        finally:
            event.remove(Engine, "before_cursor_execute", note)


class _Calls(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Counts the calls of Milvus' protocol."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Count it and go on."""
        self._counts.add("milvus", "calls")
        return continuation(details, request)

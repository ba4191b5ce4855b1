"""Measures traffic between the product and its servers with counting TCP proxies."""

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
"""The setting with each server's address."""
Interval = tuple[float, float]
"""Start and end, as readings of `perf_counter`."""


@dataclass(slots=True)
class _Exchange:
    """The last exchange on a connection, as readings of `perf_counter`; 0 if there was none."""

    sent_at: float = 0.0
    received_at: float = 0.0


class CountingProxy:
    """A TCP proxy on a port of its own that counts bytes and exchanges.

    An exchange starts when the client sends after the server has answered, so pipelined requests count as one.
    `exchanges` holds the interval of each, from the last byte sent to the last byte received: the server's busy time.
    """

    def __init__(self, port: int, count: Callable[[str, int], None]) -> None:
        self._target = (HOST, port)
        self._count = count
        self._current: list[_Exchange] = []
        self._ended: list[Interval] = []
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def exchanges(self) -> list[Interval]:
        """Intervals of all answered exchanges, unordered."""
        return [*self._ended, *((one.sent_at, one.received_at) for one in self._current if one.received_at)]

    def close(self) -> None:
        """Stop accepting connections."""
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
                exchange = _Exchange()
                self._current.append(exchange)
                for source, sink, work in ((near, far, self._sent), (far, near, self._received)):
                    threading.Thread(target=_forward, args=(source, sink, partial(work, exchange)), daemon=True).start()

    def _sent(self, exchange: _Exchange, size: int) -> None:
        if exchange.received_at:
            self._ended.append((exchange.sent_at, exchange.received_at))
        if exchange.received_at or not exchange.sent_at:
            self._count("exchanges", 1)
        exchange.sent_at, exchange.received_at = perf_counter(), 0.0
        self._count("sent", size)

    def _received(self, exchange: _Exchange, size: int) -> None:
        if exchange.sent_at:  # ignore a server's greeting
            exchange.received_at = perf_counter()
        self._count("received", size)


def _forward(source: socket.socket, sink: socket.socket, on_bytes: Callable[[int], None]) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65_536):
            on_bytes(len(block))
            sink.sendall(block)
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def busy_seconds(intervals: Iterable[Interval], since: float, until: float) -> float:
    """Seconds between `since` and `until` covered by at least one interval."""
    total, end = 0.0, since
    for start, stop in sorted(intervals):
        start, stop = max(start, end), min(stop, until)  # noqa: PLW2901 - clipped to what is not covered yet
        if stop > start:
            total += stop - start
            end = stop
    return total


class TrafficCounts(Counter[tuple[str, str]]):
    """Counts by server and kind: statements, calls, exchanges, and bytes sent and received."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def add(self, server: str, kind: str, number: int = 1) -> None:
        """Add to a count; thread-safe."""
        with self._lock:
            self[server, kind] += number


@contextmanager
def proxied(environment: Mapping[str, str]) -> Iterator[tuple[dict[str, CountingProxy], TrafficCounts, dict[str, str]]]:
    """Put a counting proxy in front of each server: the proxies, their counts, and an environment that uses them."""
    counts = TrafficCounts()
    with ExitStack() as stack:
        proxies, through = {}, dict(environment)
        for server, variable in SERVERS.items():
            port = urlsplit(environment[variable]).port or 0
            proxies[server] = proxy = CountingProxy(port, partial(counts.add, server))
            stack.callback(proxy.close)
            old, new = f"{HOST}:{port}", f"{HOST}:{proxy.port}"
            through = {name: value.replace(old, new) for name, value in through.items()}
        yield proxies, counts, through


@contextmanager
def count_traffic(environment: Mapping[str, str]) -> Iterator[tuple[TrafficCounts, dict[str, str]]]:
    """Count this process's traffic, SQL statements and Milvus calls: the counts, and an environment to use."""
    open_channel = grpc.insecure_channel
    with proxied(environment) as (_, counts, proxied_environment):

        def open_counted(*args: Any, **options: Any) -> Any:
            return grpc.intercept_channel(open_channel(*args, **options), _CallCounter(counts))

        def count_statement(*_: object) -> None:
            counts.add("postgres", "statements")

        event.listen(Engine, "before_cursor_execute", count_statement)
        try:
            with mock.patch.object(grpc, "insecure_channel", open_counted):
                yield counts, proxied_environment
        finally:
            event.remove(Engine, "before_cursor_execute", count_statement)


class _CallCounter(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # grpc ships no types
    """Counts gRPC calls to Milvus."""

    def __init__(self, counts: TrafficCounts) -> None:
        self._counts = counts

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Count the call and pass it on."""
        self._counts.add("milvus", "calls")
        return continuation(details, request)

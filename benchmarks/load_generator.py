"""A cheap HTTP load generator: sends prepared requests over keep-alive connections and records latencies."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from time import perf_counter
from typing import Any

_END_OF_HEAD = b"\r\n\r\n"
_CHUNKED = -2


@dataclass(slots=True)
class LoadResult:
    """Results of a load. Latencies are seconds from a request's first byte to its response's last byte."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    """Count by status; 0 stands for a refused, closed or broken connection."""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    """Status and body of the response for each latency; only with `keep`."""

    @property
    def rate(self) -> float:
        """Responses a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    @property
    def errors(self) -> int:
        """Number of requests without a 2xx response."""
        return sum(number for status, number in self.statuses.items() if not 200 <= status < 300)

    def percentile(self, share: float) -> float:
        """The latency percentile for a share between 0 and 1; 0 without any response."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def request(method: str, path: str, *, headers: Mapping[str, str], body: Any = None, host: str = "localhost") -> bytes:
    """The bytes of an HTTP request; `body` is sent as JSON unless None."""
    content = b"" if body is None else json.dumps(body).encode()
    sent = {"Host": host, **headers}
    if body is not None:
        sent |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content


async def load(
    host: str, port: int, requests: Sequence[bytes], *, connections: int, total: int, keep: bool = False
) -> LoadResult:
    """Send `total` requests round-robin; each connection sends the next one after its response. `keep` keeps bodies."""
    waiting = islice(cycle(requests), total)
    found = LoadResult()
    started = perf_counter()
    clients = (_client(host, port, waiting, found, keep=keep) for _ in range(min(connections, total)))
    await asyncio.gather(*clients)
    found.seconds = perf_counter() - started
    return found


def run_load(
    host: str, port: int, requests: Sequence[bytes], *, connections: int, total: int, keep: bool = False
) -> LoadResult:
    """Run `load` in a new event loop."""
    return asyncio.run(load(host, port, requests, connections=connections, total=total, keep=keep))


async def _client(host: str, port: int, waiting: Iterator[bytes], found: LoadResult, *, keep: bool) -> None:
    connection: _Connection | None = None
    for content in waiting:
        started = perf_counter()
        try:
            if connection is None or connection.closed:
                _, connection = await asyncio.get_running_loop().create_connection(_Connection, host, port)
            status, body = await connection.send(content)
        except OSError:
            found.statuses[0] += 1
            connection = None
            continue
        found.latencies.append(perf_counter() - started)
        found.statuses[status] += 1
        if keep:
            found.answers.append((status, body))
    if connection:
        connection.close()


class _Connection(asyncio.Protocol):
    """A client connection with one request at a time; responses have a Content-Length or are chunked."""

    def __init__(self) -> None:
        self.closed = False
        self._received = b""
        self._end = -1  # length of the response, once its headers are complete
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for mypy: create_connection gives one
        self._transport = transport

    def send(self, content: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Send a request; the future holds the response's status and raw body.

        Raises:
            ConnectionError: the response did not arrive or is incomplete.
        """
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(content)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._end < 0:
            self._end = self._find_end()
        complete = self._end >= 0 and len(self._received) >= self._end
        if complete or (self._end == _CHUNKED and self._received.endswith(b"0\r\n\r\n")):
            status, answer = int(self._received[9:12]), self._answer
            body = self._received.partition(_END_OF_HEAD)[2]
            self._received, self._end, self._answer = b"", -1, None
            if answer and not answer.done():
                answer.set_result((status, body))

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._answer and not self._answer.done():
            self._answer.set_exception(
                error or ConnectionResetError("connection closed before the response was complete")
            )

    def close(self) -> None:
        self._transport.close()

    def _find_end(self) -> int:
        head_end = self._received.find(_END_OF_HEAD)
        if head_end < 0:
            return -1
        head = self._received[:head_end].lower()
        at = head.find(b"\r\ncontent-length:")
        if at < 0:
            return _CHUNKED if b"\r\ntransfer-encoding:" in head else head_end + len(_END_OF_HEAD)
        return head_end + len(_END_OF_HEAD) + int(head[at + 17 :].split(b"\r\n", 1)[0])

"""Counting what goes over a connection: a proxy of one server that passes everything on."""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import grpc
from sqlalchemy import Engine, event

from modulo.cli.stack.process import HOST


class Wire:
    """Listens on a port of its own; counts bytes, and exchanges: how often a client spoke after the server had.

    Several requests sent at once are one exchange.
    """

    def __init__(self, port: int, count: Callable[[str, int], None]) -> None:
        self._target = (HOST, port)
        self._count = count
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

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
                spoke = [""]  # who spoke last on this connection
                for source, sink, side in ((near, far, "sent"), (far, near, "received")):
                    threading.Thread(target=self._pass, args=(source, sink, side, spoke), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, side: str, spoke: list[str]) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65_536):
                if side == "sent" and spoke[0] != side:
                    self._count("exchanges", 1)
                spoke[0] = side
                self._count(side, len(block))
                sink.sendall(block)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


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
def counted(environment: dict[str, str], ports: dict[str, int]) -> Iterator[tuple[Counts, dict[str, str]]]:
    """Counts of everything sent by whoever uses the new environment, in this process."""
    counts = Counts()
    with ExitStack() as stack:
        rewired = dict(environment)
        for server, port in ports.items():
            wire = Wire(port, lambda kind, number, server=server: counts.add(server, kind, number))  # type: ignore[misc]
            stack.callback(wire.close)
            old, new = f"{HOST}:{port}", f"{HOST}:{wire.port}"
            rewired = {name: value.replace(old, new) for name, value in rewired.items()}

        def note(*_: object) -> None:
            counts.add("postgres", "statements")

        event.listen(Engine, "before_cursor_execute", note)
        stack.callback(event.remove, Engine, "before_cursor_execute", note)
        opened = grpc.insecure_channel

        def watched(*args: Any, **options: Any) -> Any:
            return grpc.intercept_channel(opened(*args, **options), _Calls(counts))

        stack.enter_context(mock.patch.object(grpc, "insecure_channel", watched))
        yield counts, rewired


class _Calls(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Counts the calls of Milvus' protocol."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Count it and go on."""
        self._counts.add("milvus", "calls")
        return continuation(details, request)

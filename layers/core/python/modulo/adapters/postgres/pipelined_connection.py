"""pg8000's connection with a statement in one round trip, and BEGIN along with a transaction's first.

pg8000 sends a statement's Parse, its Bind and its Execute each with a Sync of their own and waits for
each answer; outside a transaction a pooler may even hand every Sync to another server connection. Here
all of a statement goes out with one Sync, so that one alone is a transaction of its own
(https://www.postgresql.org/docs/current/protocol-flow.html, "Pipelining").

Where it is asked to, a connection keeps statements prepared, so that Postgres parses and plans each once.
Their names are made of what they say: behind a pooler that does not follow them, one may be missing, but
none is mistaken for another.
"""

import hashlib
import select
import socket
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from struct import pack
from typing import Any, cast

from pg8000 import dbapi
from pg8000.converters import TIMESTAMPTZ, make_params
from pg8000.core import Context

from modulo.ports.deadline import remaining

DEFAULT_TIMEOUT_SECONDS = 10.0
_EXECUTE = b"E\0\0\0\x09\0\0\0\0\0"
_SYNC = b"S\0\0\0\x04"
_DESCRIBE = b"D\0\0\0\x06P\0"
_BIND_NOTHING = b"B\0\0\0\x0c\0\0\0\0\0\0\0\0"
_STATEMENTS = 1_000
"""How many statements are kept as they go over the wire; a program has a fixed set of them."""
_PREPARED = 200
"""How many of them one connection keeps prepared."""
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Seconds and probes after which a server that is gone is noticed while a statement may take any time."""


class WireConnection(dbapi.Connection):  # type: ignore[misc] # pg8000 has no types
    """A connection whose statements with parameters take one round trip each; `prepares` keeps them prepared.

    Where it is not `bounded`, only connecting has a timeout, and statements take as long as the server lets them.
    """

    def __init__(self, *args: Any, prepares: bool = False, bounded: bool = True, **options: Any) -> None:
        self._prepared: set[bytes] = set()
        self._prepares = prepares
        self._parsing: deque[bytes] = deque()
        self._longest = self._timeout = float(options.get("timeout") or DEFAULT_TIMEOUT_SECONDS)
        super().__init__(*args, **options)
        self._bounded = bounded
        if not bounded:
            self._usock.settimeout(None)
            for name in _KEEPALIVE.keys() & vars(socket).keys():  # macOS lacks the first
                self._usock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), _KEEPALIVE[name])
        self.register_in_adapter(TIMESTAMPTZ, datetime.fromisoformat)  # pg8000's own takes ten times as long

    def cursor(self) -> "_WireCursor":
        """A cursor on this connection."""
        return _WireCursor(self)

    def execute_unnamed(
        self, statement: str, vals: Sequence[Any] = (), oids: Sequence[int] = (), stream: Any = None
    ) -> Context:
        """Run a statement; pg8000 itself ends transactions by this."""
        return self.exchange(statement, vals, oids, stream=stream)

    def exchange(
        self, statement: str, values: Sequence[Any], oids: Sequence[int], *, stream: Any = None, begin: bool = False
    ) -> Context:
        """Send a statement, behind a BEGIN where so asked, and read the answers to both.

        Nothing is sent before all of it is encoded, so that a text which cannot be leaves no half message behind.

        Raises:
            DatabaseError: the server refused it.
            InterfaceError: the connection broke.
            UnicodeEncodeError: a value holds what is no text.
        """
        name, parse = self._parse(statement, tuple(oids), prepare=self._prepares and bool(values))
        bind = _bound(name, make_params(self.py_types, values))
        message = b"".join((_begun() if begin else b"", parse, bind, _DESCRIBE, _EXECUTE, _SYNC))
        context = Context(statement, stream=stream)
        if self._sock is None:
            raise dbapi.InterfaceError("connection is closed")
        self._limit()
        self._parsing = deque([b""] * begin + [name] * bool(parse))
        try:
            self._sock.write(message)
            self._sock.flush()
        except OSError as error:
            raise dbapi.InterfaceError("network error") from error
        self.handle_messages(context)
        return context

    def _limit(self) -> None:
        """Let the server answer no later than the request's deadline.

        Raises:
            Unavailable: that has passed; nothing was sent.
        """
        if not self._bounded:
            return
        seconds = remaining(self._longest)
        if seconds != self._timeout:
            self._usock.settimeout(seconds)
            self._timeout = seconds

    def handle_PARSE_COMPLETE(self, *_: object) -> None:  # noqa: N802 - pg8000 calls it so
        """A statement that was parsed stays prepared, whatever becomes of its execution and its transaction."""
        if name := self._parsing.popleft():
            self._prepared.add(name)

    def _parse(self, statement: str, oids: tuple[int, ...], *, prepare: bool) -> tuple[bytes, bytes]:
        """A statement's name and the message that has it parsed: no name if it is for once, no message if known."""
        name = _name(statement, oids) if prepare else b""
        if name in self._prepared:
            return name, b""
        if len(self._prepared) >= _PREPARED:
            name = b""
        return name, _parsed(name, statement, oids)

    @property
    def stale(self) -> bool:
        """Whether the other side ended the connection, or said something unasked: seen without a round trip."""
        waiting = select.poll()
        waiting.register(self._usock, select.POLLIN)
        return bool(waiting.poll(0))

    def answers(self) -> bool:
        """Whether the server still answers."""
        try:
            self.execute_simple(";")
        except dbapi.Error:
            return False
        return True


class _WireCursor(dbapi.Cursor):  # type: ignore[misc] # pg8000 has no types
    _input_oids: Sequence[int]

    def execute(self, operation: str, args: Sequence[Any] = (), stream: Any = None) -> "_WireCursor":
        """Run a statement; one without parameters, which may be several at once, goes the way it always went."""
        if not args:
            return cast("_WireCursor", super().execute(operation, args, stream))
        wire = self._c
        begin = not wire.autocommit and not wire._in_transaction  # noqa: SLF001 - as the class above this one does
        self._context = wire.exchange(_numbered(operation), args, self._input_oids, stream=stream, begin=begin)
        self._row_iter = None if self._context.rows is None else iter(self._context.rows)
        self._input_oids = ()
        return self


@lru_cache(_STATEMENTS)
def _numbered(operation: str) -> str:
    """The statement with $1, $2, … in place of %s."""
    statement, _ = dbapi.convert_paramstyle(dbapi.paramstyle, operation, ())
    return cast("str", statement)


@lru_cache(_STATEMENTS)
def _parsed(name: bytes, statement: str, oids: tuple[int, ...]) -> bytes:
    known = pack(f"!H{len(oids)}i", len(oids), *(0 if oid == -1 else oid for oid in oids))
    return _message(b"P", name + b"\0" + statement.encode() + b"\0" + known)


@lru_cache(_STATEMENTS)
def _name(statement: str, oids: tuple[int, ...]) -> bytes:
    return hashlib.sha256(_parsed(b"", statement, oids)).hexdigest()[:32].encode()


@lru_cache(1)
def _begun() -> bytes:
    return _parsed(b"", "begin", ()) + _BIND_NOTHING + _EXECUTE


def _bound(name: bytes, values: Sequence[str | None]) -> bytes:
    """The values as texts, for the unnamed portal of a statement."""
    parts = [b"\0", name, b"\0\0\0", pack("!H", len(values))]
    for value in values:
        if value is None:
            parts.append(b"\xff\xff\xff\xff")
        else:
            encoded = value.encode()
            parts += (pack("!i", len(encoded)), encoded)
    parts.append(b"\0\0")
    return _message(b"B", b"".join(parts))


def _message(code: bytes, data: bytes) -> bytes:
    return code + pack("!i", len(data) + 4) + data

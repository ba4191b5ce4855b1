"""A model provider on a local port that answers as a test tells it to."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Asked:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What is answered: a JSON value, or bytes as they are; `pause` seconds pass before, `drip` between bytes."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0
    drip: float = 0
    stream: Iterable[bytes] | None = None
    """In place of the body: parts that are sent as they come, until the connection ends."""

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Provider:
    """An HTTP server whose answers are those of `reply`; every request is kept in `asked`."""

    def __init__(self, reply: Callable[[Asked], Answer] | Answer) -> None:
        self.reply = reply if callable(reply) else lambda _: reply
        self.asked: list[Asked] = []
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path, dict(self.headers), json.loads(content) if content else None)
                provider.asked.append(asked)
                answer = provider.reply(asked)
                provider._ended.wait(answer.pause)
                self.close_connection = True  # no connection outlives a test
                with contextlib.suppress(OSError):  # the client left
                    self.send(answer)

            def send(self, answer: Answer) -> None:
                content = [answer.content()] if answer.stream is None else answer.stream
                self.send_response(answer.status)
                always = {"Connection": "close", "Content-Type": "text/event-stream"}
                if answer.stream is None:
                    always = {"Connection": "close", "Content-Length": str(len(answer.content()))}
                for name, value in {**always, **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for part in _dripping(content, answer.drip) if answer.drip else content:
                    self.wfile.write(part)

            do_GET = do_POST = answer  # noqa: N815 - the names are the standard library's

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
                pass

        return Handler


def _dripping(parts: Iterable[bytes], seconds: float) -> Iterator[bytes]:
    """Each byte, with a pause behind it."""
    for byte in b"".join(parts):
        yield bytes([byte])
        time.sleep(seconds)

"""A worker's own port: whether it lives, and its metrics."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic

from modulo.cli.metrics_exposition import MEDIA_TYPE, metrics_exposition
from modulo.domain.errors import NotFound, Unauthenticated

LIVE_SECONDS = 30.0
"""A worker whose main loop stood still for so long is stuck; it takes a fifth of a second a round."""
REQUEST_SECONDS = 5
"""For a request to arrive, so that no client keeps a thread."""
log = logging.getLogger(__name__)


class Pulse:
    """When the worker's main loop last went round."""

    def __init__(self) -> None:
        self._at = monotonic()

    def beat(self) -> None:
        """Note that it goes round now."""
        self._at = monotonic()

    @property
    def is_live(self) -> bool:
        """Whether it went round lately."""
        return monotonic() - self._at < LIVE_SECONDS


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], pulse: Pulse) -> None:
        super().__init__(address, _Handler)
        self.pulse = pulse


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_SECONDS
    server_version, sys_version = "modulo", ""

    def do_GET(self) -> None:
        """Answer /live and /metrics."""
        match self.path:
            case "/live":
                live = self.server.pulse.is_live
                self._answer(200 if live else 503, b"live\n" if live else b"stuck\n")
            case "/metrics":
                self._metrics()
            case _:
                self._answer(404, b"There are /live and /metrics.\n")

    def _metrics(self) -> None:
        try:
            self._answer(200, metrics_exposition(self.headers.get("authorization") or ""), MEDIA_TYPE)
        except (Unauthenticated, NotFound) as error:
            self._answer(error.status, f"{error.detail}\n".encode())

    def _answer(self, status: int, body: bytes, media_type: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server wants the name
        """Keep probes out of the log."""
        log.debug(format, *args)


@contextmanager
def worker_port(host: str, port: int, pulse: Pulse) -> Iterator[None]:
    """Serve meanwhile, on threads of their own.

    Raises:
        OSError: the port is in use.
    """
    with _Server((host, port), pulse) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="worker-port", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()

"""The HTTP server of the Lambda runtime API, for one function process."""

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from modulo_localstack import reports, streamed
from modulo_localstack.exchange import Answer, Exchange

HOST = "127.0.0.1"
VERSION = "/2018-06-01/runtime"
MAX_RESPONSE_BYTES = 6_291_556


class RuntimeApi(ThreadingHTTPServer):
    """Starts serving when it is created."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, exchange: Exchange) -> None:
        super().__init__((HOST, 0), _Handler)
        self.exchange = exchange
        self._stopped = False
        threading.Thread(target=self._serve, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """The value for AWS_LAMBDA_RUNTIME_API."""
        return f"{HOST}:{self.server_port}"

    def stop(self) -> None:
        """Ask the server thread to stop, without waiting for it."""
        self._stopped = True
        with contextlib.suppress(OSError):  # wakes the thread, which waits for a connection
            socket.create_connection((HOST, self.server_port), timeout=1).close()

    def _serve(self) -> None:
        """Serve without polling, because there may be hundreds of these servers."""
        with self:
            while not self._stopped:
                self.handle_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors: a killed process leaves broken connections behind."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _trailers: Mapping[str, str] = {}

    @property
    def _exchange(self) -> Exchange:
        return cast("RuntimeApi", self.server).exchange

    def do_GET(self) -> None:
        """Return the next invocation."""
        if self.path != f"{VERSION}/invocation/next":
            self._respond(404, _problem("NotFound", self.path))
            return
        taken = self._exchange.take()
        if taken is None:
            self.close_connection = True
            return
        invocation, deadline = taken
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        self._respond(200, invocation.payload, headers)

    def do_POST(self) -> None:
        """Accept a response, an error, or the error of a failed start."""
        found = re.fullmatch(rf"{VERSION}/invocation/([^/]+)/(response|error)", self.path)
        if found and self.headers.get(streamed.MODE, "").lower() == "streaming":
            self._take_stream(found[1])
            return
        body = self._body()
        if self.path == f"{VERSION}/init/error":
            self._exchange.fail(Answer(body, failed=True))
            self._respond(202)
            return
        if not found:
            self._respond(404, _problem("NotFound", self.path))
            return
        request_id, kind = found.groups()
        self._answer(request_id, Answer(body, failed=kind == "error"))

    def _take_stream(self, request_id: str) -> None:
        """Accept a response part by part; whoever waits for the whole gets what a function returns to a gateway."""
        parts = []
        for part in self._chunks():
            parts.append(part)
            if not self._exchange.add_part(request_id, part):
                self.close_connection = True
                return
        self._answer(request_id, streamed.whole(parts, self._trailers))

    def _answer(self, request_id: str, answer: Answer) -> None:
        if len(answer.payload) > MAX_RESPONSE_BYTES:
            answer = reports.too_large(len(answer.payload), MAX_RESPONSE_BYTES)
        if not self._exchange.answer(request_id, answer):
            self._respond(400, _problem("InvalidRequestID", f"{request_id} is not the current invocation"))
        elif answer.error_type:
            self._respond(413, answer.payload)
        else:
            self._respond(202)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the parent's parameter name
        """Do not log requests: standard error belongs to LocalStack."""

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return b"".join(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        """The chunks of the body; the trailers behind them are kept."""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        trailers = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            trailers[name.lower()] = value.strip()
        self._trailers = trailers

    def _respond(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _problem(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()

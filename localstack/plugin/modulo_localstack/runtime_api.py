"""The Lambda runtime API over HTTP, for the one process that is told its address."""

import contextlib
import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from modulo_localstack import reports
from modulo_localstack.exchange import Answer, Exchange

HOST = "127.0.0.1"
VERSION = "/2018-06-01/runtime"
LARGEST_RESPONSE = 6_291_556  # bytes


class RuntimeApi(ThreadingHTTPServer):
    """Serves from the moment it is made."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, exchange: Exchange) -> None:
        super().__init__((HOST, 0), _Handler)
        self.exchange = exchange
        self._stopped = False
        threading.Thread(target=self._serve, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """What the process finds as AWS_LAMBDA_RUNTIME_API."""
        return f"{HOST}:{self.server_port}"

    def stop(self) -> None:
        """Serve no more; does not wait for that."""
        self._stopped = True
        with contextlib.suppress(OSError):  # the thread waits for a connection
            socket.create_connection((HOST, self.server_port), timeout=1).close()

    def _serve(self) -> None:
        """Wait without ever looking up: there may be hundreds of these."""
        with self:
            while not self._stopped:
                self.handle_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that is killed leaves broken connections behind; there is nobody to tell."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def _exchange(self) -> Exchange:
        return cast("RuntimeApi", self.server).exchange

    def do_GET(self) -> None:
        """The next invocation."""
        if self.path != f"{VERSION}/invocation/next":
            self._say(404, _problem("NotFound", self.path))
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
        self._say(200, invocation.payload, headers)

    def do_POST(self) -> None:
        """An answer, or why there can be none."""
        body = self._body()
        if self.path == f"{VERSION}/init/error":
            self._exchange.fail(Answer(body, failed=True))
            self._say(202)
            return
        found = re.fullmatch(rf"{VERSION}/invocation/([^/]+)/(response|error)", self.path)
        if not found:
            self._say(404, _problem("NotFound", self.path))
            return
        request_id, kind = found.groups()
        answer = Answer(body, failed=kind == "error")
        if len(body) > LARGEST_RESPONSE:
            answer = reports.too_large(len(body), LARGEST_RESPONSE)
        if not self._exchange.answer(request_id, answer):
            self._say(400, _problem("InvalidRequestID", f"{request_id} is not under way"))
        elif answer.verdict:
            self._say(413, answer.payload)
        else:
            self._say(202)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        """Say nothing: the function's log is not the place."""

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return body

    def _say(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _problem(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()

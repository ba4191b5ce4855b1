"""A Lambda runtime client that streams: the core layer's `stream_responses` starts it.

Python's own client sends a response when the handler returns it. This one runs the function's ASGI application and
posts each part of a response as it is made: in chunks, behind a prelude of status and headers as JSON and eight null
bytes, which API Gateway takes off. An error behind the first part travels in trailers.
(https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming)

An environment serves one invocation at a time. Lambda may go on after a client has left: whether it did shows only
where a part cannot be sent.
"""

import asyncio
import base64
import json
import logging
import os
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib import import_module
from typing import Any, Final, NoReturn
from urllib.parse import unquote, urlencode

from starlette.types import ASGIApp, Message, Scope

from modulo.runtime.custom_domain import without_base_path
from modulo.runtime.telemetry import invocation

log = logging.getLogger(__name__)
VERSION: Final = "/2018-06-01/runtime"
PRELUDE_END: Final = b"\0" * 8
HEADERS: Final = {
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Content-Type": "application/vnd.awslambda.http-integration-response",
    "Transfer-Encoding": "chunked",
    "Trailer": "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What log lines tell of an invocation, by the names that Lambda's own context has."""

    function_name: str
    aws_request_id: str


class RuntimeApi:
    """Lambda's side: invocations come from it, and responses go to it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._next = HTTPConnection(address)

    def next(self) -> tuple[dict[str, Any], Mapping[str, str]]:
        """Wait for the next invocation: its event and its headers."""
        self._next.request("GET", f"{VERSION}/invocation/next")
        answer = self._next.getresponse()
        return json.loads(answer.read()), {name.lower(): value for name, value in answer.getheaders()}

    def fail(self, path: str, error: BaseException) -> None:
        """Tell that an invocation, or the start, failed before a response began."""
        headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": type(error).__name__}
        with closing(HTTPConnection(self._address)) as connection:
            connection.request("POST", f"{VERSION}/{path}", _described(error), headers)
            connection.getresponse().read()

    def close(self) -> None:
        """Close the connection on which invocations come."""
        self._next.close()

    def respond(self, request_id: str) -> "Response":
        """Begin the response to an invocation."""
        return Response(HTTPConnection(self._address), f"{VERSION}/invocation/{request_id}/response")


class Response:
    """One response on its way, as chunks."""

    def __init__(self, connection: HTTPConnection, path: str) -> None:
        self._connection = connection
        connection.putrequest("POST", path)
        for name, value in HEADERS.items():
            connection.putheader(name, value)
        connection.endheaders()

    def send(self, content: bytes) -> None:
        """Send one part.

        Raises:
            OSError: nobody takes it any longer.
        """
        if content:
            self._connection.send(b"%x\r\n%b\r\n" % (len(content), content))

    def end(self, error: BaseException | None = None) -> None:
        """Send the last chunk, with the error that ended the response early in trailers."""
        trailers = b""
        if error is not None:
            body = base64.b64encode(_described(error))
            kind = type(error).__name__.encode()
            trailers = b"Lambda-Runtime-Function-Error-Type: %b\r\nLambda-Runtime-Function-Error-Body: %b\r\n" % (
                kind,
                body,
            )
        with closing(self._connection) as connection:
            connection.send(b"0\r\n%b\r\n" % trailers)
            connection.getresponse().read()


class Invocation:
    """One invocation of an ASGI application by API Gateway's event."""

    def __init__(self, api: RuntimeApi, request_id: str, event: Mapping[str, Any]) -> None:
        self._api = api
        self._request_id = request_id
        self._event = event
        self._body: bytes | None = _body(event)
        self._start: Message | None = None
        self.response: Response | None = None
        self.left = False
        """Whether nobody takes the response any longer."""

    async def receive(self) -> Message:
        """The request's body once; then nothing, as nobody tells that a client has left."""
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body or b"", None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Pass on a part of the response; the first one with the prelude before it."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self.response is None:
            self.response = self._api.respond(self._request_id)
            self.response.send(_prelude(self._start or {}) + PRELUDE_END)
        try:
            self.response.send(message.get("body", b""))
        except OSError:
            self.left = True
            raise


def scope_of(event: Mapping[str, Any]) -> Scope:
    """The ASGI scope of an event of API Gateway's REST APIs (payload version 1.0)."""
    query = event.get("multiValueQueryStringParameters") or {}
    headers = [
        (name.lower().encode(), str(value).encode())
        for name, values in (event.get("multiValueHeaders") or {}).items()
        for value in values
    ]
    path = unquote(event["path"])
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": event["httpMethod"],
        "scheme": "https",
        "path": path,
        "raw_path": event["path"].encode(),
        "root_path": "",
        "query_string": urlencode(query, doseq=True).encode(),
        "headers": headers,
        "client": (event.get("requestContext", {}).get("identity", {}).get("sourceIp"), 0),
        "server": None,
        "aws.event": event,
    }


def serve_next(api: RuntimeApi, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
    """Serve one invocation."""
    event, headers = api.next()
    request_id = headers["lambda-runtime-aws-request-id"]
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
    call = Invocation(api, request_id, event)
    error: BaseException | None = None
    with invocation(Context(os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""), request_id)):
        try:
            loop.run_until_complete(app(scope_of(without_base_path(event)), call.receive, call.send))
        except Exception as failed:
            error = failed
            if call.left:
                log.warning("invocation %s: its client has left", request_id)
            else:
                log.exception("invocation %s failed with an unexpected error", request_id)
    if call.response is None:
        api.fail(f"invocation/{request_id}/error", error or RuntimeError("no response"))
        return
    try:
        call.response.end(error)
    except OSError as broken:
        log.warning("invocation %s: the end of its response was not taken: %s", request_id, broken)


def main() -> NoReturn:
    """Serve invocations for ever; a function that cannot be imported is told to Lambda."""
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    with closing(RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])) as api, asyncio.Runner() as runner:
        loop = runner.get_loop()
        asyncio.set_event_loop(loop)
        try:
            module = import_module(os.environ["_HANDLER"].rpartition(".")[0])
            app = module.handler.application
        except BaseException as error:
            api.fail("init/error", error)
            raise
        while True:
            serve_next(api, app, loop)


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def _prelude(start: Mapping[str, Any]) -> bytes:
    headers: dict[str, list[str]] = {}
    for name, value in start.get("headers", ()):
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return json.dumps({"statusCode": start.get("status", 500), "multiValueHeaders": headers}).encode()


def _described(error: BaseException) -> bytes:
    """An error for Lambda; its message may quote a tenant's text and stays here."""
    return json.dumps({"errorType": type(error).__name__, "errorMessage": "see the log"}).encode()

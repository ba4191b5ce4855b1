"""Connections that API Gateway keeps, in memory and behind a server that answers as its management API does."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest

from modulo.adapters.aws import gateway_websockets as gateway_sockets
from modulo.adapters.aws.gateway_websockets import GatewayWebSockets
from modulo.domain.errors import Unavailable
from modulo.ports.websockets import WebSockets
from tests.doubles.memory_websockets import MemoryWebSockets

OVER_THERE = "https://abc123.execute-api.us-east-1.amazonaws.com/api"
PLACE = "/restapis/abc123/api/_user_request_/@connections/"


class Management(BaseHTTPRequestHandler):
    """The management API of one stage: what it is asked is answered as `answers` says, then with 200; if it may."""

    asked: ClassVar[list[tuple[str, str, str]]] = []
    answers: ClassVar[list[tuple[int, str]]] = []
    may_answer: ClassVar[Event] = Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"] or 0)).decode()
        self.asked.append((self.command, unquote(self.path), body))
        self.may_answer.wait(60)
        status, kind = self.answers.pop(0) if self.answers else (200, "")
        answer = json.dumps({"message": kind}).encode() if kind else b""
        self.send_response(status)
        if kind:
            self.send_header("x-amzn-ErrorType", kind)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_DELETE = do_POST  # noqa: N815 - as the server calls it

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def management(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Management]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Management)
    Management.asked.clear()
    Management.answers.clear()
    Management.may_answer.set()
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield Management
    server.shutdown()
    server.server_close()


@pytest.fixture
def gateway(management: type[Management]) -> Iterator[GatewayWebSockets]:
    made = GatewayWebSockets(OVER_THERE)
    yield made
    made.close()


@pytest.fixture(params=["memory", "gateway"])
def sockets(request: pytest.FixtureRequest) -> WebSockets:
    """With a connection `gone` that nobody has any more."""
    if request.param == "gateway":
        management = request.getfixturevalue("management")
        made: WebSockets = request.getfixturevalue("gateway")
        send, disconnect = made.send, made.disconnect

        def gone(connection_id: str) -> None:
            if connection_id == "gone=":
                management.answers.append((410, "GoneException"))

        def told(connection_id: str, message: str) -> bool:
            gone(connection_id)
            return send(connection_id, message)

        def ended(connection_id: str) -> None:
            gone(connection_id)
            disconnect(connection_id)

        made.send, made.disconnect = told, ended  # type: ignore[method-assign]  # a fake's methods
        return made
    memory = MemoryWebSockets()
    memory.disconnect("gone=")
    return memory


def test_something_is_said_and_the_connection_closed(sockets: WebSockets) -> None:
    assert sockets.send("here=", '{"events":[]}')
    sockets.disconnect("here=")


def test_who_is_gone_is_told_nothing(sockets: WebSockets) -> None:
    assert not sockets.send("gone=", '{"events":[]}')
    sockets.disconnect("gone=")


def test_a_local_cloud_is_asked_by_the_path(gateway: GatewayWebSockets, management: type[Management]) -> None:
    assert gateway.send("QmVmb3JlZA=", "grüße")
    gateway.disconnect("QmVmb3JlZA=")
    assert management.asked == [
        ("POST", f"{PLACE}QmVmb3JlZA=", "grüße"),
        ("DELETE", f"{PLACE}QmVmb3JlZA=", ""),
    ]


def test_elsewhere_the_address_is_the_apis_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert GatewayWebSockets(OVER_THERE)._api._endpoint == OVER_THERE


@pytest.mark.parametrize("kind", ["LimitExceededException", "InternalServerError"])
def test_what_passes_is_tried_again(gateway: GatewayWebSockets, management: type[Management], kind: str) -> None:
    management.answers.append((429 if kind.startswith("Limit") else 500, kind))
    assert gateway.send("here=", "x")
    assert len(management.asked) == 2


@pytest.mark.parametrize("answer", [(429, "LimitExceededException"), (403, "ForbiddenException"), (503, "x")])
def test_what_does_not_pass_is_said_to_be_unavailable(
    gateway: GatewayWebSockets, management: type[Management], answer: tuple[int, str]
) -> None:
    management.answers += [answer] * 4
    with pytest.raises(Unavailable) as told:
        gateway.send("here=", "x")
    assert told.value.extra["dependency"] == "sockets"
    with pytest.raises(Unavailable):
        gateway.disconnect("here=")


def test_a_slow_one_is_not_waited_for(management: type[Management], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_sockets, "READ_SECONDS", 0.1)
    management.may_answer.clear()
    gateway = GatewayWebSockets(OVER_THERE)
    with pytest.raises(Unavailable):
        gateway.send("here=", "x")
    assert len(management.asked) <= gateway_sockets.ATTEMPTS
    management.may_answer.set()
    gateway.close()


def test_saying_one_thing_takes_less_than_what_is_left_of_a_lease() -> None:
    from modulo.usecases.push_events import SEND_TIMEOUT

    most = gateway_sockets.ATTEMPTS * (gateway_sockets.CONNECT_SECONDS + gateway_sockets.READ_SECONDS)
    pauses = 2  # botocore's standard mode waits for less than a second before a second attempt
    assert most + pauses < SEND_TIMEOUT.total_seconds()

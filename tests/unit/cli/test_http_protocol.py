"""Clients that are too slow are cut off, each at its own part of a request; others are served."""

import socket
import threading
from contextlib import contextmanager, suppress

import pytest
import uvicorn

from modulo.cli import http_protocol, serve

SECONDS = 0.3


async def app(scope, receive, send):
    """Answers with the number of bytes it was sent, or with as many as the path says."""
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    wanted = int(scope["path"].strip("/") or 0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(wanted // 65_536):
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
    await send({"type": "http.response.body", "body": b"%d" % size})


@contextmanager
def server():
    listening = socket.create_server(("127.0.0.1", 0))
    served = uvicorn.Server(serve.config(app, grace_seconds=1))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[:2]
    finally:
        served.should_exit = True
        thread.join(60)
        listening.close()
        assert not thread.is_alive()


@pytest.fixture
def address(monkeypatch):
    for name in ("HEADER_SECONDS", "BODY_SECONDS", "WRITE_SECONDS"):
        monkeypatch.setattr(http_protocol, name, SECONDS)
    with server() as address:
        yield address


def until_closed(connection):
    """Everything that the server sends until it ends the connection, which it must by itself."""
    connection.settimeout(20)
    received = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            received += part
    return received


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
    ids=["nothing", "request line", "headers", "body", "chunks"],
)
def test_a_client_that_stops_in_the_middle_is_cut_off(address, sent):
    with socket.create_connection(address) as connection:
        connection.sendall(sent)
        assert b"200 OK" not in until_closed(connection)


def test_a_large_body_has_time_for_its_size(address, monkeypatch):
    monkeypatch.setattr(http_protocol, "SLOWEST_BYTES_PER_SECOND", 1)
    with socket.create_connection(address) as connection:
        connection.settimeout(20)
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n" + b"x" * 10)
        threading.Event().wait(SECONDS * 3)
        connection.sendall(b"x" * 10)
        assert b"200 OK" in connection.recv(65_536)


def test_no_size_gives_a_body_time_for_ever(address, monkeypatch):
    monkeypatch.setattr(http_protocol, "LONGEST_SECONDS", 0)
    with socket.create_connection(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc")
        assert b"200 OK" not in until_closed(connection)


def test_a_client_that_drips_is_cut_off(address):
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        sent = 0
        with suppress(ConnectionError):
            while sent < 200:
                threading.Event().wait(SECONDS / 10)
                connection.sendall(b"x")
                sent += 1
        assert sent < 200


def test_a_client_that_does_not_read_is_cut_off(address):
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % (256 * 1024**2))
        threading.Event().wait(SECONDS * 4)
        assert len(until_closed(connection)) < 256 * 1024**2


def test_a_client_that_is_quick_is_served_again_and_again(address):
    with socket.create_connection(address) as connection:
        connection.settimeout(20)
        for body in (b"", b"abc", b"x" * 100_000):
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            answer = b""
            while not answer.endswith(b"0\r\n\r\n"):
                part = connection.recv(65_536)
                assert part, "the server closed early"
                answer += part
            assert b"200 OK" in answer
            assert b"\r\n%d\r\n" % len(body) in answer
            threading.Event().wait(SECONDS * 2)  # longer than any of the waits, but not than a kept connection may

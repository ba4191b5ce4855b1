"""Responses that send events while they are made, in a format of any door."""

import asyncio
from collections.abc import Generator

import pytest

from modulo.runtime.answer_stream import StreamFormat, StreamsWhereAccepted, answer_stream_response
from modulo.services import Services, install
from modulo.settings import Settings

NUMBERS: StreamFormat[int] = StreamFormat(lambda number: f"{number};" if number % 2 else "", lambda error: error.code())


@pytest.fixture(autouse=True)
def services() -> Generator[None, None, None]:
    install(Services(Settings()))
    yield
    install(None)


def numbers(*found: int) -> Generator[int, None, None]:
    yield from found


def sent(events: Generator[int, None, None]) -> str:
    """What is sent in a function, which serves one request at a time."""
    parts: list[bytes] = []

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    async def send(message: dict[str, object]) -> None:
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        parts.append(body)

    async def respond() -> None:
        response = await answer_stream_response(events, NUMBERS)
        await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)  # type: ignore[arg-type]

    asyncio.run(respond())
    return b"".join(parts).decode()


def test_an_event_that_a_door_does_not_tell_is_passed_over() -> None:
    assert sent(numbers(1, 2, 3)) == "1;3;"


def test_no_events_are_an_empty_stream() -> None:
    assert sent(numbers()) == ""


def test_other_requests_go_where_they_went() -> None:
    seen: list[str] = []

    async def app(scope: dict[str, str], _receive: object, _send: object) -> None:
        seen.append(scope.get("path", scope["type"]))

    wrapped = StreamsWhereAccepted(app, "/s", "/s/stream")  # type: ignore[arg-type]
    post = {"type": "http", "method": "POST", "path": "/s"}
    for scope in (
        {"type": "websocket"},
        {**post, "method": "GET", "headers": []},
        {**post, "path": "/t", "headers": [(b"accept", b"text/event-stream")]},
        {**post, "headers": [(b"accept", b"application/json")]},
        {**post, "headers": [(b"accept", b"Text/Event-Stream")]},
    ):
        asyncio.run(wrapped(scope, None, None))  # type: ignore[arg-type]
    assert seen == ["websocket", "/s", "/t", "/s", "/s/stream"]

"""Responses that send events while they are made, for every door that streams answers.

A use case yields its events from an ordinary iterator. A server advances it on a thread, one event at a time, so
that a slow client holds up its model and no memory; a function advances it in place. However the response ends, the
iterator is closed: a client that leaves stops the generation with the next part that the model sends.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from dataclasses import dataclass
from threading import Lock
from typing import Final, Generic, TypeVar

import anyio
from anyio import to_thread
from fastapi.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from modulo.domain.errors import InternalError, ModuloError
from modulo.domain.search.search_events import ConversationEvent
from modulo.ports.deadline import Deadline, under
from modulo.runtime.problem_details import problem_json
from modulo.runtime.server_sent_events import HEADERS, MEDIA_TYPE, server_sent
from modulo.runtime.telemetry import count_failure, request_id
from modulo.runtime.threads import many_requests, run_streaming
from modulo.services import services

log = logging.getLogger(__name__)
Event = TypeVar("Event")
HEARTBEAT_SECONDS: Final = 15.0
"""Longest silence before a comment is sent, as proxies close connections on which nothing happens."""
HEARTBEAT: Final = ": still at work\n\n"
CLOSE_SECONDS: Final = 5.0
"""How long a response waits until its use case has stopped; behind that, the use case stops by itself."""


@dataclass(frozen=True, slots=True)
class StreamFormat(Generic[Event]):
    """How a door writes events and errors, each as the text of server-sent events, which may be none."""

    event: Callable[[Event], str]
    error: Callable[[ModuloError], str]


SEARCH_EVENTS: Final[StreamFormat[ConversationEvent]] = StreamFormat(
    lambda event: server_sent(event.event, event.model_dump_json(exclude_none=True)),
    lambda error: server_sent("error", problem_json(error)),
)
"""How `/api` writes those of searches and conversations: named as they are called, and `error` with a problem."""


async def answer_stream_response(events: Generator[Event, None, None], written: StreamFormat[Event]) -> "_Response":
    """Answer with the events as they come, from the first on.

    Raises:
        ModuloError: what the use case raises before its first event.
    """
    source = _Source(events, Deadline(services().settings.stream_seconds))
    try:
        first = await source.next()
    except BaseException:
        await source.close()
        raise
    return _Response(source, _documents(source, first, written))


class StreamsWhereAccepted:
    """Sends a search whose client accepts server-sent events to the endpoint that streams."""

    def __init__(self, app: ASGIApp, path: str, streaming_path: str) -> None:
        self._app = app
        self._path = path
        self._streaming_path = streaming_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == self._path:
            accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
            if MEDIA_TYPE.encode() in accepted.lower():
                scope = {**scope, "path": self._streaming_path, "raw_path": self._streaming_path.encode()}
        await self._app(scope, receive, send)


class _Source(Generic[Event]):
    """A use case's events, advanced by one thread at a time."""

    def __init__(self, events: Generator[Event, None, None], deadline: Deadline) -> None:
        self._events = events
        self._deadline = deadline
        self._lock = Lock()

    async def next(self) -> Event | None:
        """The next event; None at the end."""
        with under(self._deadline):
            return await run_streaming(self._advance)

    async def close(self) -> None:
        """Stop the use case; what it does at its end is done when this returns, unless that takes long."""
        self._deadline.end()  # which a call under way learns with the next part that it receives
        if not many_requests():
            self._close()
            return
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            await to_thread.run_sync(self._close, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))

    def _advance(self) -> Event | None:
        with self._lock:
            return next(self._events, None)

    def _close(self) -> None:
        with self._lock:
            self._events.close()


class _Response(StreamingResponse):
    """Stops its use case however the response ends, also where the client leaves before the first event."""

    def __init__(self, source: "_Source[Event]", documents: AsyncIterator[str]) -> None:
        super().__init__(documents, media_type=MEDIA_TYPE, headers=HEADERS)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._source.close()


async def _documents(
    source: _Source[Event], first: Event | None, written: StreamFormat[Event]
) -> AsyncGenerator[str, None]:
    event = first
    try:
        while event is not None:
            if text := written.event(event):
                yield text
            coming = asyncio.ensure_future(source.next())
            try:
                while not (await asyncio.wait({coming}, timeout=HEARTBEAT_SECONDS))[0]:
                    yield HEARTBEAT
            finally:
                coming.cancel()
            event = coming.result()
    except ModuloError as error:
        count_failure(error)
        log.warning("request %s: the streamed answer ended early: %s", request_id.get(), error.detail)
        yield written.error(error)
    except Exception:
        log.exception("request %s: the streamed answer failed with an unexpected error", request_id.get())
        yield written.error(InternalError())

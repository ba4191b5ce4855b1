"""Progress events: a server-sent event stream where a process can keep one open, the next batch where it cannot.

A function is paid for while it waits and cannot send before it ends. It answers with what changed since the client
was last told, and with the time to reconnect after. The document is the same, and a browser's EventSource reconnects
by itself, as does any client that follows the standard
(https://html.spec.whatwg.org/multipage/server-sent-events.html).

WebSockets (`websockets`) send the same batches.
"""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic
from typing import Final
from uuid import UUID

import anyio
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from modulo.domain.errors import ModuloError, Throttled, Unavailable
from modulo.domain.files.event_batch import EventBatch, FileChanges
from modulo.domain.files.subscription import MAX_STREAMS_PER_USER, StreamPosition
from modulo.domain.tenancy.identity import Principal
from modulo.ports.deadline import within
from modulo.runtime.problem_details import ending
from modulo.runtime.server_sent_events import HEADERS, MEDIA_TYPE, server_sent
from modulo.runtime.threads import many_requests, run
from modulo.services import services

ReadChanges = Callable[..., FileChanges]
"""`watch_files` of one collection; takes the caller and the `position`."""
Authenticate = Callable[[], Awaitable[Principal]]
"""Checks the caller's credential each time."""
RETRY_MS: Final = 2_000
"""When a client reconnects to a function."""
QUIET_RETRY_MS: Final = 5_000
"""The same where nothing changed lately."""
POLL_BACKOFF: Final = 1.5


@dataclass(slots=True)
class StreamTiming:
    """Times of a stream, in seconds."""

    min_poll_seconds: float = 1
    """Between two looks, the first behind a change."""
    max_poll_seconds: float = 5
    """Between two looks, where nothing changes."""
    heartbeat_seconds: float = 15
    """Longest silence before an empty batch is sent."""
    max_seconds: float = 900
    """Until the stream ends and the client reconnects."""
    handshake_seconds: float = 10
    """Until the client of a WebSocket has to send its request."""


@dataclass(slots=True)
class OpenStreams:
    """The streams that this process keeps open."""

    timing: StreamTiming = field(default_factory=StreamTiming)
    shutting_down: bool = False
    """Ends every stream, so that its client reconnects to another process."""
    count: Counter[UUID] = field(default_factory=Counter)
    """By user."""

    def admit(self, user_id: UUID) -> None:
        """Count one more stream of a user, until it is released.

        Raises:
            Throttled: the user has too many open.
        """
        if self.count[user_id] >= MAX_STREAMS_PER_USER:
            raise Throttled(f"A user may have at most {MAX_STREAMS_PER_USER} streams open at a time.", retry_after=5)
        self.count[user_id] += 1

    def release(self, user_id: UUID) -> None:
        """Count one stream of a user less."""
        self.count -= Counter([user_id])  # which drops those at zero


open_streams: Final = OpenStreams()


@dataclass(slots=True)
class EventStream:
    """The stream of one caller: how far it is, and what the last look found."""

    user_id: UUID
    position: StreamPosition
    changes: FileChanges
    read_changes: ReadChanges
    authenticate: Authenticate

    @classmethod
    async def open(
        cls, read_changes: ReadChanges, authenticate: Authenticate, last_event_id: str | None
    ) -> "EventStream":
        """Check the caller and look for the first time.

        Raises:
            ModuloError: the caller may not see the collection, or has too many streams open.
        """
        caller = await authenticate()
        open_streams.admit(caller.user_id)
        try:
            position = StreamPosition.resume(last_event_id, services().clock.now())
            changes = await run(read_changes, caller, position=position)
        except BaseException:
            open_streams.release(caller.user_id)
            raise
        return cls(caller.user_id, position, changes, read_changes, authenticate)

    def close(self) -> None:
        """End the stream, which was counted when it was opened."""
        open_streams.release(self.user_id)

    @property
    def batch(self) -> EventBatch:
        """What the last look found."""
        return EventBatch.of(self.changes, self.position.last_event_id)

    async def batches(self) -> AsyncGenerator[EventBatch, None]:
        """What the first look found, then what changes, as long as the credential is valid."""
        timing = open_streams.timing
        pause, sent_at = timing.min_poll_seconds, monotonic()
        until = sent_at + timing.max_seconds
        yield self.batch
        while not open_streams.shutting_down and monotonic() + pause < until:
            await anyio.sleep(pause)
            try:
                with within(services().settings.request_seconds):  # each look is a request of its own
                    self.changes = await run(self.read_changes, await self.authenticate(), position=self.position)
            except Unavailable:
                self.changes = []  # the next look may succeed
            except ModuloError as error:
                yield ending(error)
                return
            pause = timing.min_poll_seconds if self.changes else min(pause * POLL_BACKOFF, timing.max_poll_seconds)
            if self.changes or monotonic() - sent_at >= timing.heartbeat_seconds:
                sent_at = monotonic()
                yield self.batch
        yield EventBatch([], self.position.last_event_id)


async def event_stream_response(
    read_changes: ReadChanges, authenticate: Authenticate, last_event_id: str | None
) -> Response:
    """Answer with a stream of what changes, or with its next batch where the process cannot keep it open.

    Raises:
        ModuloError: the caller may not see the collection, or has too many streams open.
    """
    stream = await EventStream.open(read_changes, authenticate, last_event_id)
    if many_requests():
        return _StreamResponse(stream, HEADERS)
    stream.close()
    retry = RETRY_MS if stream.position.delivered else QUIET_RETRY_MS
    return Response(_retry(retry) + _document(stream.batch), media_type=MEDIA_TYPE, headers=HEADERS)


class _StreamResponse(StreamingResponse):
    """Closes its stream however the response ends, also where the client leaves before the first event."""

    def __init__(self, stream: EventStream, headers: Mapping[str, str]) -> None:
        super().__init__(_documents(stream), media_type=MEDIA_TYPE, headers=headers)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.close()


async def _documents(stream: EventStream) -> AsyncIterator[str]:
    yield _retry(RETRY_MS)
    async with aclosing(stream.batches()) as batches:
        async for batch in batches:
            yield _document(batch)


def _retry(milliseconds: int) -> str:
    return f"retry: {milliseconds}\n\n"


def _document(batch: EventBatch) -> str:
    """The batch as server-sent events; an id without an event moves the client's position and is a heartbeat."""
    last_event_id = "" if batch.last_event_id is None else f"id: {batch.last_event_id}\n"
    return "".join(server_sent(name, data, last_event_id) for name, data in batch.events) or f"{last_event_id}\n"

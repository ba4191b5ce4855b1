"""Server-sent events: a stream where the process can keep one open, and its next piece where it cannot.

A function would be paid for while it waits, and has no way to send before it ends: it answers with what changed
since the client was told last, and with the time to come back after. The document is the same, and a browser's
EventSource comes back by itself, as does any client that follows the standard
(https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from uuid import UUID

import anyio
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from modulo.domain.errors import ModuloError, Throttled, Unavailable
from modulo.domain.identity import Principal
from modulo.domain.progress import FileProgress, Snapshot
from modulo.runtime.calls import many_requests, run
from modulo.runtime.problems import problem
from modulo.services import services
from modulo.usecases.watch_files import Watch

Look = Callable[..., Snapshot | list[FileProgress]]
"""`watch_files` of one collection, that takes the caller and the watch."""
Again = Callable[[], Awaitable[Principal]]
MEDIA_TYPE: Final = "text/event-stream"
EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Server-sent events", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}
"""As OpenAPI describes the answer."""
RETRY_MS: Final = 2_000
RETRY_QUIET_MS: Final = 5_000
"""Where nothing changes."""
MOST_OF_A_USER: Final = 20
"""In one process: a page needs one, and whoever leaks them must not take everybody's."""


@dataclass(slots=True)
class Pace:
    """Of a stream, in seconds: between two looks, the first behind a change and the longest; of silence; in all."""

    soonest: float = 1
    latest: float = 5
    heartbeat: float = 15
    lasting: float = 900


@dataclass(slots=True)
class Watchers:
    """Who watches in this process."""

    pace: Pace = field(default_factory=Pace)
    ending: bool = False
    """Set when the process is to end: who watches is asked to come back, which is to another one."""
    count: Counter[UUID] = field(default_factory=Counter)
    """By user."""


watchers: Final = Watchers()


async def event_stream(look: Look, again: Again, last_event_id: str | None) -> Response:
    """Tell of what `look` finds from now on, as long as `again` lets the caller in.

    Raises:
        ModuloError: the caller may not watch it, or watches too much.
    """
    caller = await again()
    if watchers.count[caller.user_id] >= MOST_OF_A_USER:
        raise Throttled(f"At most {MOST_OF_A_USER} streams of a user are served at a time.", retry_after=5)
    watch = Watch.resumed(last_event_id, services().clock.now())
    first = await run(look, caller, watch=watch)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if many_requests():
        events = _counted(caller.user_id, _stream(first, look, again, watch))
        return StreamingResponse(events, media_type=MEDIA_TYPE, headers=headers)
    piece = _retry(RETRY_MS if watch.told else RETRY_QUIET_MS) + _told(first, watch) + _position(watch)
    return Response(piece, media_type=MEDIA_TYPE, headers=headers)


async def _counted(user_id: UUID, events: AsyncIterator[str]) -> AsyncIterator[str]:
    watchers.count[user_id] += 1
    try:
        async for event in events:
            yield event
    finally:
        watchers.count -= Counter([user_id])  # which forgets those at zero


async def _stream(found: Snapshot | list[FileProgress], look: Look, again: Again, watch: Watch) -> AsyncIterator[str]:
    pace = watchers.pace
    pause, told_at = pace.soonest, monotonic()
    until = told_at + pace.lasting
    yield _retry(RETRY_MS) + _told(found, watch)
    while not watchers.ending and monotonic() + pause < until:
        await anyio.sleep(pause)
        try:
            found = await run(look, await again(), watch=watch)
        except Unavailable:
            found = []  # it may answer again
        except ModuloError as error:
            yield f"event: end\ndata: {bytes(problem(error).body).decode()}\n\n"
            return
        pause = pace.soonest if found else min(pause * 1.5, pace.latest)
        if found or monotonic() - told_at >= pace.heartbeat:
            told_at = monotonic()
            yield _told(found, watch) or _position(watch)
    yield _position(watch)


def _retry(milliseconds: int) -> str:
    return f"retry: {milliseconds}\n\n"


def _position(watch: Watch) -> str:
    """No event, but the place to go on from, and a sign of life."""
    return f"id: {watch.position}\n\n"


def _told(found: Snapshot | list[FileProgress], watch: Watch) -> str:
    if isinstance(found, Snapshot):
        return _event("snapshot", found, watch.position)
    return "".join(_event("file", progress, watch.position) for progress in found)


def _event(name: str, value: BaseModel, position: str) -> str:
    """JSON has no line ends of its own, so the data is one line."""
    return f"event: {name}\nid: {position}\ndata: {value.model_dump_json()}\n\n"

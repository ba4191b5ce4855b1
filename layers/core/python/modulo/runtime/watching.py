"""Progress, pushed: server-sent events here, and what WebSockets (`sockets`) tell just so.

They are a stream where the process can keep one open, and its next piece where it cannot.

A function would be paid for while it waits, and has no way to send before it ends: it answers with what changed
since the client was told last, and with the time to come back after. The document is the same, and a browser's
EventSource comes back by itself, as does any client that follows the standard
(https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from uuid import UUID

import anyio
from fastapi.responses import Response, StreamingResponse

from modulo.domain.errors import ModuloError, Throttled, Unavailable
from modulo.domain.identity import Principal
from modulo.domain.watching import MOST_OF_A_USER, News, Told, Watch
from modulo.runtime.calls import many_requests, run
from modulo.runtime.details import ending
from modulo.services import services

Look = Callable[..., News]
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


@dataclass(slots=True)
class Pace:
    """In seconds. Of a stream: between two looks, the first behind a change and the longest; of silence; in all."""

    soonest: float = 1
    latest: float = 5
    heartbeat: float = 15
    lasting: float = 900
    greeting: float = 10
    """Until a socket has to say whom it is of."""


@dataclass(slots=True)
class Watchers:
    """Who watches in this process."""

    pace: Pace = field(default_factory=Pace)
    ending: bool = False
    """Set when the process is to end: who watches is asked to come back, which is to another one."""
    count: Counter[UUID] = field(default_factory=Counter)
    """By user."""


watchers: Final = Watchers()


@dataclass(slots=True)
class Watching:
    """A caller who may watch, and what there was at first."""

    user_id: UUID
    watch: Watch
    found: News
    look: Look
    again: Again

    @classmethod
    async def begun(cls, look: Look, again: Again, last_event_id: str | None) -> "Watching":
        """Look for the first time.

        Raises:
            ModuloError: the caller may not watch it, or watches too much.
        """
        caller = await again()
        if watchers.count[caller.user_id] >= MOST_OF_A_USER:
            raise Throttled(f"At most {MOST_OF_A_USER} streams of a user are served at a time.", retry_after=5)
        watch = Watch.resumed(last_event_id, services().clock.now())
        return cls(caller.user_id, watch, await run(look, caller, watch=watch), look, again)

    @property
    def news(self) -> Told:
        """What the last look found."""
        return Told.of(self.found, self.watch.position)

    async def told(self) -> AsyncGenerator[Told, None]:
        """What was found at first, and what is from now on, as long as the caller is let in."""
        watchers.count[self.user_id] += 1
        try:
            async with aclosing(self._told()) as told:
                async for one in told:
                    yield one
        finally:
            watchers.count -= Counter([self.user_id])  # which forgets those at zero

    async def _told(self) -> AsyncGenerator[Told, None]:
        pace = watchers.pace
        pause, told_at = pace.soonest, monotonic()
        until = told_at + pace.lasting
        yield self.news
        while not watchers.ending and monotonic() + pause < until:
            await anyio.sleep(pause)
            try:
                self.found = await run(self.look, await self.again(), watch=self.watch)
            except Unavailable:
                self.found = []  # it may answer again
            except ModuloError as error:
                yield ending(error)
                return
            pause = pace.soonest if self.found else min(pause * 1.5, pace.latest)
            if self.found or monotonic() - told_at >= pace.heartbeat:
                told_at = monotonic()
                yield self.news
        yield Told([], self.watch.position)


async def event_stream(look: Look, again: Again, last_event_id: str | None) -> Response:
    """Tell of what `look` finds from now on, as long as `again` lets the caller in.

    Raises:
        ModuloError: the caller may not watch it, or watches too much.
    """
    watching = await Watching.begun(look, again, last_event_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if many_requests():
        return StreamingResponse(_stream(watching), media_type=MEDIA_TYPE, headers=headers)
    retry = RETRY_MS if watching.watch.told else RETRY_QUIET_MS
    return Response(_retry(retry) + _document(watching.news), media_type=MEDIA_TYPE, headers=headers)


async def _stream(watching: Watching) -> AsyncIterator[str]:
    yield _retry(RETRY_MS)
    async with aclosing(watching.told()) as told:
        async for one in told:
            yield _document(one)


def _retry(milliseconds: int) -> str:
    return f"retry: {milliseconds}\n\n"


def _document(told: Told) -> str:
    """Events; an id without one is none to browsers, but a place to go on from, and a sign of life."""
    position = "" if told.position is None else f"id: {told.position}\n"
    return "".join(f"event: {name}\n{position}data: {data}\n\n" for name, data in told.events) or f"{position}\n"

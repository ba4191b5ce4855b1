"""The one place that decides on which thread a use case runs, and how long a request may wait for it.

A server keeps three bulkheads, each with threads of its own: one for calls that wait for the database only, one
for calls that wait for models, the vector store, the object store or a queue, and one for answers that are streamed.
Where a dependency hangs, it takes the threads of its own bulkhead; authentication, lists and health keep theirs.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from threading import Lock
from typing import Final, Generic, ParamSpec, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from modulo.domain.errors import Unavailable
from modulo.ports.deadline import remaining, too_late

Params = ParamSpec("Params")
Result = TypeVar("Result")

LONGEST_SECONDS: Final = 900.0
"""Of a call outside a request with a deadline."""
WAITING_PER_THREAD: Final = 8
"""How many calls may wait for each thread; one more is refused at once."""


ENDING_SECONDS: Final = 0.5
"""How long after its deadline a call may still say which dependency it waited for."""


class Bulkhead:
    """So many threads for one kind of call. A call that waits too long, or beyond its deadline, is refused.

    A call is expected to end by its deadline, as the timeouts of all that it waits for follow from it; its error then
    names what it waited for. One that does not is abandoned: its request is answered, and its thread stays taken until
    the call really ends.
    """

    def __init__(self, threads: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self._unlimited = CapacityLimiter(inf)
        self._most_waiting = threads * WAITING_PER_THREAD

    async def run(self, work: Callable[[], Result]) -> Result:
        """Call on a thread.

        Raises:
            Unavailable: too many calls wait already, or the request's deadline passed.
        """
        if self._limiter.statistics().tasks_waiting >= self._most_waiting:
            raise Unavailable("The server is busy: try again shortly.", retry_after=1)
        call = _Call(work, self._limiter)
        with anyio.move_on_after(remaining(LONGEST_SECONDS) + ENDING_SECONDS):
            await self._limiter.acquire_on_behalf_of(call)
            try:
                return await to_thread.run_sync(call.run, abandon_on_cancel=True, limiter=self._unlimited)
            finally:
                call.give_up()
        raise too_late()


class _Call(Generic[Result]):
    """Holds a place in a bulkhead from when it was admitted until its thread is done with it."""

    def __init__(self, work: Callable[[], Result], limiter: CapacityLimiter) -> None:
        self._work = work
        self._limiter = limiter
        self._loop = asyncio.get_running_loop()
        self._lock = Lock()
        self._begun = False
        self._given_up = False

    def run(self) -> Result:
        """On the thread."""
        with self._lock:
            if self._given_up:
                raise too_late()  # to nobody
            self._begun = True
        try:
            return self._work()
        finally:
            with suppress(RuntimeError):  # the server ended meanwhile
                self._loop.call_soon_threadsafe(self._limiter.release_on_behalf_of, self)

    def give_up(self) -> None:
        """On the event loop, once nobody waits for it any longer; what no thread has begun is never run."""
        with self._lock:
            self._given_up = True
            release = not self._begun
        if release:
            self._limiter.release_on_behalf_of(self)


_database: Bulkhead | None = None
_external: Bulkhead | None = None
_streams: Bulkhead | None = None
STREAM_THREADS: Final = 256
"""Of a server's process: an answer that is streamed keeps a thread as long as its model writes."""


def use_threads(number: int | None) -> None:
    """Run calls on so many threads of each bulkhead, as a server of many requests must; None runs them in place.

    A function's environment serves one request at a time: there a thread would only cost time.
    """
    global _database, _external, _streams  # noqa: PLW0603 - set once when a server starts
    _database = Bulkhead(number) if number else None
    _external = Bulkhead(number) if number else None
    _streams = Bulkhead(STREAM_THREADS) if number else None


def many_requests() -> bool:
    """Whether this process serves several requests at a time, and can keep one waiting."""
    return _database is not None


async def run(function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
    """Call what waits for the database or the cache only.

    Raises:
        Unavailable: too many calls wait already, or the request's deadline passed.
    """
    if _database is None:
        return function(*args, **kwargs)
    return await _database.run(partial(function, *args, **kwargs))


async def run_external(function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
    """Call what waits for models, the vector store, the object store, a queue or the web, too.

    Raises:
        Unavailable: too many calls wait already, or the request's deadline passed.
    """
    if _external is None:
        return function(*args, **kwargs)
    return await _external.run(partial(function, *args, **kwargs))


async def run_streaming(function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
    """Call what waits for the next part of an answer that is streamed.

    Raises:
        Unavailable: too many calls wait already, or the request's deadline passed.
    """
    if _streams is None:
        return function(*args, **kwargs)
    return await _streams.run(partial(function, *args, **kwargs))

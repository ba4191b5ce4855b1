"""Several things at once, for the asynchronous client; `threads` is the same for the other one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def at_once(work: Callable[[T], Coroutine[Any, Any, R]], items: Iterable[T], most: int) -> AsyncIterator[R]:
    """What is made of each, as it comes; the next is begun once a result was taken."""
    waiting = iter(items)
    running: set[asyncio.Task[R]] = set()
    try:
        while running := running | {asyncio.ensure_future(work(item)) for item in islice(waiting, most - len(running))}:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                yield one.result()
    finally:
        for one in running:
            one.cancel()

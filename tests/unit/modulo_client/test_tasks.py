import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

import pytest

from modulo_client.tasks import at_once

T = TypeVar("T")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """On a loop of its own: other tests of the process go on with theirs."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def taken(work: Callable[[int], Coroutine[Any, Any, int]], items: Iterable[int], most: int) -> list[int]:
    return [one async for one in at_once(work, items, most)]


def test_every_item_is_worked_on_and_no_more_at_once_than_allowed() -> None:
    running, seen = 0, []

    async def work(item: int) -> int:
        nonlocal running
        running += 1
        seen.append(running)
        await asyncio.sleep(0)
        running -= 1
        return item * item

    assert sorted(run_async(taken(work, range(50), 4))) == [number * number for number in range(50)]
    assert max(seen) == 4
    assert run_async(taken(work, [], 4)) == []


def test_what_fails_is_raised_and_ends_the_others() -> None:
    ended: list[int] = []

    async def work(item: int) -> int:
        if item == 1:
            raise LookupError("1")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append(item)
            raise
        return item

    async def all_of_them() -> None:
        with pytest.raises(LookupError):
            await taken(work, range(3), 3)
        await asyncio.sleep(0)

    run_async(all_of_them())
    assert sorted(ended) == [0, 2]

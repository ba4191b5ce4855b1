"""Work on some items in threads while the next are read and the finished ones used."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def overlapping(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    at_once: int,
    stop: Callable[[], None] = lambda: None,
) -> Generator[tuple[Item, Result], None, None]:
    """The items with what `work` made of them, in order; `at_once` of them are worked on at a time.

    One more waits, so that no thread is idle while its caller uses a result or reads an item: at most
    `at_once` + 1 are held. Items are read by the caller's thread alone. Close the iterator when it is
    left early: it drops what waits, calls `stop`, which may have work under way end, and returns once
    no thread works any more.

    Raises:
        Exception: whatever reading an item or the work on one raised, in the item's turn.
    """
    under_way: deque[tuple[Item, Future[Result]]] = deque()
    threads = ThreadPoolExecutor(at_once, thread_name_prefix="overlapping")
    try:
        for item in items:
            under_way.append((item, threads.submit(work, item)))
            if len(under_way) > at_once:
                done, future = under_way.popleft()
                yield done, future.result()
        while under_way:
            done, future = under_way.popleft()
            yield done, future.result()
    finally:
        stop()
        threads.shutdown(cancel_futures=True)

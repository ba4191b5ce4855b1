"""Work on some items in threads while the next are read and the finished ones used."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, TypeVar

from modulo.ports.context_threads import ContextThreads

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetched(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    concurrency: int,
    stop: Callable[[], None] = lambda: None,
) -> Generator[tuple[Item, Result], None, None]:
    """The items with what `work` made of them, in order; `concurrency` of them are worked on at a time.

    One more item waits, so that no thread is idle while the caller uses a result or reads an item: at most
    `concurrency` + 1 are held. Only the caller's thread reads items. Close the iterator when leaving it early: that
    drops the waiting item, calls `stop`, which may end work in progress, and returns once no thread works any more.

    Raises:
        Exception: whatever reading an item or the work on one raised, in the item's turn.
    """
    in_progress: deque[tuple[Item, Future[Result]]] = deque()
    threads = ContextThreads(concurrency, thread_name_prefix="prefetch")
    try:
        for item in items:
            in_progress.append((item, threads.submit(work, item)))
            if len(in_progress) > concurrency:
                done, future = in_progress.popleft()
                yield done, future.result()
        while in_progress:
            done, future = in_progress.popleft()
            yield done, future.result()
    finally:
        stop()
        threads.shutdown(cancel_futures=True)

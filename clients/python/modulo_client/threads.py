"""Several things at once, for the synchronous client; `tasks` is the same for the other one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
GRACE_SECONDS = 2.0
"""How long an interrupt waits for what is under way, so that it can be told."""


def at_once(work: Callable[[T], R], items: Iterable[T], most: int) -> Iterator[R]:
    """What is made of each, as it comes; the next is begun once a result was taken.

    The threads keep no program from ending: a server that does not answer may hold them.
    """
    results: SimpleQueue[Future[R]] = SimpleQueue()
    waiting = iter(items)
    running = 0
    try:
        while True:
            for item in islice(waiting, most - running):
                running += 1
                Thread(target=_run, args=(work, item, results), daemon=True).start()
            if not running:
                return
            done = results.get()
            running -= 1
            yield done.result()
    except KeyboardInterrupt:
        while running:
            try:
                done = results.get(timeout=GRACE_SECONDS)
            except Empty:
                break
            running -= 1
            yield done.result()
        raise


def _run(work: Callable[[T], R], item: T, results: SimpleQueue[Future[R]]) -> None:
    done: Future[R] = Future()
    try:
        done.set_result(work(item))
    except BaseException as error:  # it is raised where the result is taken
        done.set_exception(error)
    results.put(done)

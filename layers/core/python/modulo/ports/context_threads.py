"""Threads that work within the context of whoever gives them work: its deadline and its log fields."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

Params = ParamSpec("Params")
Item = TypeVar("Item")
Result = TypeVar("Result")


class ContextThreads(ThreadPoolExecutor):
    """A pool of threads. Each call, of `map` too, runs in a copy of the context in which it was submitted."""

    def submit(self, fn: Callable[Params, Result], /, *args: Params.args, **kwargs: Params.kwargs) -> "Future[Result]":
        """See `ThreadPoolExecutor`."""
        return super().submit(copy_context().run, partial(fn, *args, **kwargs))


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The results of the work for each item, done at once; a single one is done in this thread."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ContextThreads(len(items)) as threads:
        return list(threads.map(work, items))

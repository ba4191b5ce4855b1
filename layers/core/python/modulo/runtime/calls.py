"""The one place that decides on which thread a use case runs."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

Params = ParamSpec("Params")
Result = TypeVar("Result")

_threads: CapacityLimiter | None = None


def use_threads(number: int | None) -> None:
    """Run calls on so many threads, as a server of many requests must; None runs them in place.

    A function's environment serves one request at a time: there a thread would only cost time.
    """
    global _threads  # noqa: PLW0603 - set once when a server starts
    _threads = CapacityLimiter(number) if number else None


def many_requests() -> bool:
    """Whether this process serves several requests at a time, and can keep one waiting."""
    return _threads is not None


async def run(function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
    """Call a use case."""
    if _threads is None:
        return function(*args, **kwargs)
    return await to_thread.run_sync(partial(function, *args, **kwargs), limiter=_threads)

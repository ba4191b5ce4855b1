"""A thread's work has the deadline and the log fields of whoever asked for it."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from modulo.domain.errors import Unavailable
from modulo.ports.context_threads import ContextThreads
from modulo.ports.deadline import remaining, within
from modulo.usecases.health import health
from modulo.usecases.ingest_file.prefetch import prefetched

FIELD: ContextVar[str] = ContextVar("field", default="none")


def by_submit(work: Callable[[], Any]) -> list[Any]:
    with ContextThreads(2) as threads:
        return [one.result() for one in [threads.submit(work) for _ in range(3)]]


def by_map(work: Callable[[], Any]) -> list[Any]:
    with ContextThreads(2) as threads:
        return list(threads.map(lambda _: work(), range(3)))


def by_prefetch(work: Callable[[], Any]) -> list[Any]:
    return [result for _, result in prefetched(range(3), lambda _: work(), concurrency=2)]


def by_health(work: Callable[[], Any]) -> list[Any]:
    found: list[Any] = []
    health(dict.fromkeys("abc", lambda: found.append(work())), version="1", timeout=10)
    return found


WAYS = pytest.mark.parametrize("way", [by_submit, by_map, by_prefetch, by_health])


@WAYS
def test_it_sees_the_context_of_the_moment_it_was_asked_for(way: Callable[[Any], list[Any]]) -> None:
    token = FIELD.set("asked")
    try:
        assert way(FIELD.get) == ["asked"] * 3
    finally:
        FIELD.reset(token)


@WAYS
def test_it_has_no_more_time_than_the_request(way: Callable[[Any], list[Any]]) -> None:
    with within(5):
        assert all(left <= 5 for left in way(lambda: remaining(60)))


def test_what_it_sets_stays_with_it() -> None:
    with ContextThreads(1) as threads:
        threads.submit(FIELD.set, "changed").result()
        assert threads.submit(FIELD.get).result() == "none"
    assert FIELD.get() == "none"


def test_an_error_is_the_callers() -> None:
    def late() -> None:
        time.sleep(0.06)
        remaining(60)

    with within(0.1), ContextThreads(1) as threads, pytest.raises(Unavailable):
        threads.submit(late).result()

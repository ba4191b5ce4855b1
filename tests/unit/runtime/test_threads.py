"""Bulkheads: what hangs takes its own threads only, and no request waits past its deadline."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import anyio
import pytest

from modulo.domain.errors import Unavailable
from modulo.ports.deadline import remaining, within
from modulo.runtime import threads
from modulo.runtime.threads import Bulkhead, many_requests, run, run_external, use_threads


class Dependency:
    """Something that hangs until it is released; counts who asks it."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        assert self.released.wait(60)
        return "answered"


@contextmanager
def hanging() -> Iterator[Dependency]:
    dependency = Dependency()
    try:
        yield dependency
    finally:
        dependency.released.set()


@pytest.fixture
def server() -> Iterator[None]:
    use_threads(2)
    yield
    use_threads(None)


async def _until(condition) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - what it waits for happens on threads
            await anyio.sleep(0.005)


def test_what_hangs_takes_its_own_threads_only(server: None) -> None:
    async def main(dependency: Dependency) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(run_external, dependency)
            await _until(lambda: dependency.asked == 2)
            assert [await run(lambda: "listed") for _ in range(20)] == ["listed"] * 20
            assert dependency.asked == 2, "the others wait"
            dependency.released.set()
        assert dependency.asked == 8

    with hanging() as dependency:
        anyio.run(main, dependency)


def test_one_more_than_may_wait_is_refused_at_once() -> None:
    async def main(dependency: Dependency) -> None:
        bulkhead = Bulkhead(1)
        async with anyio.create_task_group() as tasks:
            for _ in range(1 + threads.WAITING_PER_THREAD):
                tasks.start_soon(bulkhead.run, dependency)
            await _until(lambda: dependency.asked == 1)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(Unavailable) as refused:
                await bulkhead.run(lambda: None)
            assert refused.value.retry_after == 1
            dependency.released.set()
        assert dependency.asked == 1 + threads.WAITING_PER_THREAD

    with hanging() as dependency:
        anyio.run(main, dependency)


def test_a_call_past_its_deadline_is_abandoned_and_keeps_its_thread_until_it_ends() -> None:
    async def main(dependency: Dependency) -> None:
        bulkhead = Bulkhead(1)
        with within(0.2), pytest.raises(Unavailable):
            await bulkhead.run(dependency)
        with within(0.2), pytest.raises(Unavailable):
            await bulkhead.run(lambda: "its thread is taken")
        dependency.released.set()
        with anyio.fail_after(10):
            assert await bulkhead.run(lambda: "free again") == "free again"
        assert dependency.asked == 1

    with hanging() as dependency:
        anyio.run(main, dependency)


def test_a_call_that_ends_by_its_deadline_says_what_it_waited_for() -> None:
    def wait() -> None:
        threading.Event().wait(remaining(60))
        raise Unavailable("The embedder took too long.", dependency="embedder")

    async def main() -> None:
        with within(0.2), pytest.raises(Unavailable, match="embedder"):
            await Bulkhead(1).run(wait)

    anyio.run(main)


def test_a_request_without_time_left_calls_nothing() -> None:
    async def main() -> None:
        called = []
        with within(0), pytest.raises(Unavailable):
            await Bulkhead(1).run(lambda: called.append(1))
        assert called == []

    anyio.run(main)


def test_a_call_that_is_cancelled_before_its_thread_begins_is_not_made() -> None:
    async def main() -> None:
        bulkhead, called = Bulkhead(1), []
        for _ in range(20):
            with anyio.CancelScope() as scope:
                scope.cancel()
                await bulkhead.run(lambda: called.append(1))
        assert called == []
        with anyio.fail_after(10):
            assert await bulkhead.run(lambda: "its place is free") == "its place is free"

    anyio.run(main)


def test_a_place_given_up_is_free_and_its_call_is_never_made() -> None:
    async def main() -> None:
        bulkhead, called = Bulkhead(1), []
        call = threads._Call(partial(called.append, 1), bulkhead._limiter)
        await bulkhead._limiter.acquire_on_behalf_of(call)
        call.give_up()
        with pytest.raises(Unavailable):
            call.run()
        assert called == []
        with anyio.fail_after(10):
            assert await bulkhead.run(lambda: "free") == "free"

    anyio.run(main)


def test_the_errors_of_a_call_are_its_callers(server: None) -> None:
    def work() -> None:
        raise TimeoutError("its own")

    async def main() -> None:
        for call in (run, run_external):
            with pytest.raises(TimeoutError, match="its own"):
                await call(work)
        assert await run(lambda: "free again") == "free again"

    anyio.run(main)


def test_the_deadline_travels_to_the_thread(server: None) -> None:
    async def main() -> None:
        with within(5):
            assert 0 < await run(remaining, 60) <= 5
            assert await run_external(remaining, 1) == 1
        assert await run(remaining, 60) == 60

    anyio.run(main)


def test_a_function_runs_its_calls_in_place() -> None:
    async def main() -> None:
        here = threading.get_ident()
        assert [await run(threading.get_ident), await run_external(threading.get_ident)] == [here, here]

    assert not many_requests()
    anyio.run(main)

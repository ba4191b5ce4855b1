import threading
from collections.abc import Iterator

import pytest

from modulo_client.threads import at_once


def test_every_item_is_worked_on_and_no_more_at_once_than_allowed() -> None:
    lock, running, seen = threading.Lock(), 0, []

    def work(item: int) -> int:
        nonlocal running
        with lock:
            running += 1
            seen.append(running)
        with lock:
            running -= 1
        return item * item

    assert sorted(at_once(work, range(50), 4)) == [number * number for number in range(50)]
    assert max(seen) <= 4
    assert list(at_once(work, [], 4)) == []


def test_the_next_is_begun_once_a_result_was_taken() -> None:
    begun: list[int] = []
    results = at_once(lambda item: begun.append(item) or item, range(5), 1)
    assert next(results) == 0
    assert begun == [0]
    assert next(results) == 1
    assert begun == [0, 1]


def test_they_run_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=60)
    assert sorted(at_once(lambda item: both.wait() * 0 + item, range(2), 2)) == [0, 1]


def test_what_fails_is_raised_where_its_result_is_taken() -> None:
    def work(item: int) -> int:
        raise LookupError(str(item))

    with pytest.raises(LookupError, match="7"):
        list(at_once(work, [7], 4))


def test_what_is_under_way_is_told_before_an_interrupt() -> None:
    go = threading.Event()

    def work(item: int) -> int:
        if item:
            assert go.wait(60)
        return item

    def items() -> Iterator[int]:
        yield 0
        yield 1
        go.set()
        raise KeyboardInterrupt

    told: list[int] = []

    def take() -> None:
        told.extend(at_once(work, items(), 2))

    with pytest.raises(KeyboardInterrupt):
        take()
    assert told == [0, 1]


def test_an_interrupt_does_not_wait_for_what_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modulo_client.threads.GRACE_SECONDS", 0.01)
    go = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(at_once(lambda _: go.wait(20), items(), 2))
    go.set()

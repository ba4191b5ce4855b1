"""The fair queue: priorities, turns, capacity, and errors."""

import threading
import time
from collections.abc import Iterator

import pytest

from modulo.cli.models.fair_queue import (
    MAX_OVERTAKES,
    MAX_WAIT_SECONDS,
    FairQueue,
    Lane,
    QueueFull,
    Request,
    ShuttingDown,
    Workers,
)

SECONDS = 60


def item(length: int = 1) -> str:
    return "x" * length


def taken(queue: FairQueue) -> list[tuple[str, int]]:
    """The items to come: the request's model and the item's place in it."""
    found = []
    while step := queue.next():
        found.append((step[0].model, step[1]))
    return found


def test_a_request_s_items_come_in_order() -> None:
    queue = FairQueue()
    queue.add(Lane.bulk, Request("m", [item()] * 3))
    assert taken(queue) == [("m", 0), ("m", 1), ("m", 2)]


def test_requests_take_turns() -> None:
    queue = FairQueue()
    for model, count in (("long", 3), ("short", 1), ("middle", 2)):
        queue.add(Lane.bulk, Request(model, [item()] * count))
    assert [model for model, _ in taken(queue)] == ["long", "short", "middle", "long", "middle", "long"]


def test_queries_overtake_but_do_not_starve_the_others() -> None:
    queue = FairQueue()
    queue.add(Lane.bulk, Request("bulk", [item()] * 2))
    queue.add(Lane.query, Request("query", [item()] * (MAX_OVERTAKES + 2)))
    assert [model for model, _ in taken(queue)] == ["query"] * MAX_OVERTAKES + ["bulk"] + ["query"] * 2 + ["bulk"]


def test_a_full_lane_takes_no_more_and_leaves_the_other_alone() -> None:
    queue = FairQueue({Lane.query: 2, Lane.bulk: 2})
    assert queue.add(Lane.bulk, Request("m", [item()]))
    assert not queue.add(Lane.bulk, Request("m", [item()] * 2))
    assert queue.add(Lane.bulk, Request("m", [item()]))
    assert queue.add(Lane.query, Request("m", [item()]))
    queue.next()
    queue.next()
    assert queue.add(Lane.bulk, Request("m", [item()]))


def test_more_than_a_lane_holds_only_fits_an_empty_one() -> None:
    queue = FairQueue({Lane.query: 2, Lane.bulk: 2})
    assert queue.add(Lane.bulk, Request("m", [item()] * 5))
    assert not queue.add(Lane.bulk, Request("m", [item()]))


def test_a_lane_takes_no_more_than_can_be_done_in_time() -> None:
    queue = FairQueue()
    assert queue.add(Lane.query, Request("m", [item(60)]), max_tokens=100)
    assert not queue.add(Lane.query, Request("m", [item(30), item(11)]), max_tokens=100)
    assert queue.add(Lane.query, Request("m", [item(30), item(10)]), max_tokens=100)
    assert not queue.add(Lane.query, Request("m", [item()]), max_tokens=100)
    assert queue.add(Lane.bulk, Request("m", [item(500)]), max_tokens=100)


def test_cancelled_work_is_dropped() -> None:
    queue = FairQueue()
    request = Request("m", [item()] * 3)
    queue.add(Lane.bulk, request)
    queue.next()
    request.result.cancel()
    assert queue.waiting(Lane.bulk) == []
    assert queue.next() is None


class Doubling:
    """Doubles lengths; stands still while told to, and fails on an item of length 13."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Semaphore(0)

    def run(self, item: str) -> int:
        self.entered.release()
        assert self.go.wait(SECONDS)
        if len(item) == 13:
            raise ValueError("thirteen")
        return 2 * len(item)


@pytest.fixture
def model() -> Doubling:
    return Doubling()


@pytest.fixture
def workers(model: Doubling) -> Iterator[Workers]:
    workers = Workers({"m": model}, threads=2, capacity={Lane.query: 4, Lane.bulk: 1_000})
    yield workers
    model.go.set()
    workers.stop()


def test_rows_come_in_the_order_of_their_items(workers: Workers) -> None:
    items = [item(n) for n in (300, 5, 100, 7, 256, 1, 90)]
    results = [workers.submit(Lane.bulk, "m", items) for _ in range(20)]
    assert all(result.result(SECONDS) == [600, 10, 200, 14, 512, 2, 180] for result in results)


def test_a_failure_reaches_its_callers_and_nobody_else(workers: Workers) -> None:
    bad = workers.submit(Lane.bulk, "m", [item(), item(13), item()])
    with pytest.raises(ValueError, match="thirteen"):
        bad.result(SECONDS)
    assert workers.submit(Lane.bulk, "m", [item(4)]).result(SECONDS) == [8]
    assert workers.alive


def test_a_full_queue_says_when_to_come_back(workers: Workers, model: Doubling) -> None:
    model.go.clear()
    busy = [workers.submit(Lane.query, "m", [item()]) for _ in range(2)]
    for _ in busy:
        assert model.entered.acquire(timeout=SECONDS)
    waiting = [workers.submit(Lane.query, "m", [item()]) for _ in range(4)]
    with pytest.raises(QueueFull) as full:
        workers.submit(Lane.query, "m", [item(1)])
    assert 1 <= full.value.retry_after <= 60
    model.go.set()
    assert [result.result(SECONDS) for result in [*busy, *waiting]] == [[2]] * 6


def test_thirty_two_answers_at_once_are_none_too_many(model: Doubling) -> None:
    """Each has ten passages reranked, of 200 tokens, then sixteen sentences, of 40."""
    workers = Workers({"m": model}, threads=2)
    assert workers.submit(Lane.query, "m", [item(200)]).result(SECONDS) == [400]
    workers._tokens_per_second = 1_500.0  # of one thread, as measured on a slow machine
    model.go.clear()
    for lengths in ([200] * 10, [40] * 16):
        results = [workers.submit(Lane.query, "m", [item(length) for length in lengths]) for _ in range(32)]
    with pytest.raises(QueueFull) as full:
        workers.submit(Lane.query, "m", [item(200)] * 300)
    assert 5 <= full.value.retry_after <= MAX_WAIT_SECONDS
    model.go.set()
    assert [result.result(SECONDS) for result in results] == [[80] * 16] * 32
    workers.stop()


def test_stopping_refuses_what_waits(model: Doubling) -> None:
    workers = Workers({"m": model}, threads=1)
    model.go.clear()
    running = workers.submit(Lane.bulk, "m", [item()])
    assert model.entered.acquire(timeout=SECONDS)
    waiting = workers.submit(Lane.bulk, "m", [item()])
    stopping = threading.Thread(target=workers.stop)
    stopping.start()
    until = time.monotonic() + SECONDS
    while not workers._stopped:
        assert time.monotonic() < until
        time.sleep(0.001)
    model.go.set()
    stopping.join(SECONDS)
    assert running.result(SECONDS) == [2]
    with pytest.raises(ShuttingDown):
        waiting.result(SECONDS)
    with pytest.raises(ShuttingDown):
        workers.submit(Lane.bulk, "m", [item(1)])
    assert not workers.alive

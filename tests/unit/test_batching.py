"""Batches: who goes first, who shares, who has to wait, and what happens when it goes wrong."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from modulo.cli.models.batching import (
    BATCH_ITEMS,
    BATCH_TOKENS,
    PATIENCE,
    Batcher,
    Full,
    Lane,
    Request,
    Schedule,
    Stopped,
)

SECONDS = 10


def item(length: int) -> str:
    return "x" * length


def taken(schedule: Schedule) -> list[tuple[str, list[int]]]:
    """The batches to come: the model and the items' lengths."""
    batches = []
    while batch := schedule.next():
        batches.append((batch[0][0].model, [len(request.items[i]) for request, i in batch]))
    return batches


def test_items_of_like_length_share_a_batch() -> None:
    schedule = Schedule()
    schedule.add(Lane.bulk, Request("m", [item(n) for n in (200, 10, 90, 12, 100)]))
    assert taken(schedule) == [("m", [10, 12]), ("m", [90, 100]), ("m", [200])]


def test_a_batch_holds_no_more_than_it_may() -> None:
    schedule = Schedule()
    schedule.add(Lane.bulk, Request("m", [item(1)] * (BATCH_ITEMS + 1)))
    schedule.add(Lane.bulk, Request("n", [item(BATCH_TOKENS * 2)]))
    assert [len(lengths) for _, lengths in taken(schedule)] == [BATCH_ITEMS, 1, 1]


def test_requests_for_one_model_share_a_batch() -> None:
    schedule = Schedule()
    for model in ("m", "n", "m"):
        schedule.add(Lane.query, Request(model, [item(10)]))
    assert taken(schedule) == [("m", [10, 10]), ("n", [10])]


def test_requests_take_turns() -> None:
    schedule = Schedule()
    requests = [Request("m", [item(BATCH_TOKENS)] * 2) for _ in range(2)]
    for request in requests:
        schedule.add(Lane.bulk, request)
    order = []
    while batch := schedule.next():
        order.append(requests.index(batch[0][0]))
    assert order == [0, 1, 0, 1]


def test_queries_overtake_but_do_not_starve() -> None:
    schedule = Schedule()
    schedule.add(Lane.bulk, Request("bulk", [item(BATCH_TOKENS)] * 2))
    for _ in range(PATIENCE + 2):
        schedule.add(Lane.query, Request("query", [item(BATCH_TOKENS)]))
    models = [model for model, _ in taken(schedule)]
    assert models == ["query"] * PATIENCE + ["bulk"] + ["query"] * 2 + ["bulk"]


def test_a_full_lane_takes_no_more_and_leaves_the_other_alone() -> None:
    schedule = Schedule({Lane.query: 2, Lane.bulk: 2})
    assert schedule.add(Lane.bulk, Request("m", [item(1)]))
    assert not schedule.add(Lane.bulk, Request("m", [item(1)] * 2))
    assert schedule.add(Lane.bulk, Request("m", [item(1)]))
    assert schedule.add(Lane.query, Request("m", [item(1)]))


def test_more_than_a_lane_holds_only_fits_an_empty_one() -> None:
    schedule = Schedule({Lane.query: 2, Lane.bulk: 2})
    assert schedule.add(Lane.bulk, Request("m", [item(1)] * 5))
    assert not schedule.add(Lane.bulk, Request("m", [item(1)]))


def test_cancelled_work_is_dropped() -> None:
    schedule = Schedule()
    request = Request("m", [item(BATCH_TOKENS)] * 3)
    schedule.add(Lane.bulk, request)
    schedule.next()
    request.result.cancel()
    assert schedule.next() == []
    assert schedule.waiting(Lane.bulk) == []


class Doubling:
    """Doubles lengths; stands still while told to, and fails on an item of length 13."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Semaphore(0)

    def run(self, items: Sequence[str]) -> list[int]:
        self.entered.release()
        assert self.go.wait(SECONDS)
        if any(len(one) == 13 for one in items):
            raise ValueError("thirteen")
        return [2 * len(one) for one in items]


@pytest.fixture
def model() -> Doubling:
    return Doubling()


@pytest.fixture
def batcher(model: Doubling) -> Iterator[Batcher]:
    batcher = Batcher({"m": model}, threads=2, capacity={Lane.query: 4, Lane.bulk: 1_000})
    yield batcher
    model.go.set()
    batcher.stop()


def test_rows_come_in_the_order_of_their_items(batcher: Batcher) -> None:
    items = [item(n) for n in (300, 5, 100, 7, 256, 1, 90)]
    results = [batcher.submit(Lane.bulk, "m", items) for _ in range(20)]
    assert all(result.result(SECONDS) == [600, 10, 200, 14, 512, 2, 180] for result in results)


def test_a_failure_reaches_its_callers_and_nobody_else(batcher: Batcher) -> None:
    bad = batcher.submit(Lane.bulk, "m", [item(BATCH_TOKENS), item(13)])
    with pytest.raises(ValueError, match="thirteen"):
        bad.result(SECONDS)
    assert batcher.submit(Lane.bulk, "m", [item(4)]).result(SECONDS) == [8]
    assert batcher.alive


def test_a_full_queue_says_when_to_come_back(batcher: Batcher, model: Doubling) -> None:
    model.go.clear()
    busy = [batcher.submit(Lane.query, "m", [item(BATCH_TOKENS)]) for _ in range(2)]
    for _ in busy:
        assert model.entered.acquire(timeout=SECONDS)
    waiting = [batcher.submit(Lane.query, "m", [item(BATCH_TOKENS)]) for _ in range(4)]
    with pytest.raises(Full) as full:
        batcher.submit(Lane.query, "m", [item(1)])
    assert 1 <= full.value.retry_after <= 60
    model.go.set()
    assert [result.result(SECONDS) for result in [*busy, *waiting]] == [[BATCH_TOKENS * 2]] * 6


def test_stopping_refuses_what_waits(model: Doubling) -> None:
    batcher = Batcher({"m": model}, threads=1)
    model.go.clear()
    running = batcher.submit(Lane.bulk, "m", [item(BATCH_TOKENS)])
    assert model.entered.acquire(timeout=SECONDS)
    waiting = batcher.submit(Lane.bulk, "m", [item(BATCH_TOKENS)])
    stopping = threading.Thread(target=batcher.stop)
    stopping.start()
    while not batcher._stopped:
        time.sleep(0.001)
    model.go.set()
    stopping.join(SECONDS)
    assert running.result(SECONDS) == [BATCH_TOKENS * 2]
    with pytest.raises(Stopped):
        waiting.result(SECONDS)
    with pytest.raises(Stopped):
        batcher.submit(Lane.bulk, "m", [item(1)])
    assert not batcher.alive

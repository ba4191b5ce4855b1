"""Micro-batches over requests: short ones first, the long ones in turns, nobody starved, queues bounded."""

import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence, Sized
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import Any, Protocol

# Measured: larger batches do no more work in the same CPU time, and a query waits for the one before it.
BATCH_TOKENS = 256
BATCH_ITEMS = 16
# So many batches of queries may overtake waiting bulk work before one of its batches runs.
PATIENCE = 4


class Lane(StrEnum):
    """Who waits: a person for a query, or an ingestion for its bulk."""

    query = "query"
    bulk = "bulk"


# Items; each is worth well under a minute of work.
CAPACITY = {Lane.query: 256, Lane.bulk: 1_024}


class Full(Exception):
    """The lane is full; `retry_after` estimates when it will be half empty, in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"The queue is full; try again in {retry_after} s.")
        self.retry_after = retry_after


class Stopped(Exception):
    """The server is shutting down."""


class Runner(Protocol):
    """What turns a batch of items into one row each."""

    def run(self, items: Sequence[Any]) -> Sequence[Any]:
        """The rows, in the order of the items."""
        ...


@dataclass(eq=False, slots=True)
class Request:
    """Items of one call; a cancelled `result` drops those that still wait."""

    model: str
    items: Sequence[Sized]
    result: "Future[list[Any]]" = field(default_factory=Future)
    waiting: "deque[int]" = field(init=False)
    rows: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Items of like length share a batch, which wastes the least on padding.
        self.waiting = deque(sorted(range(len(self.items)), key=lambda i: len(self.items[i])))

    def settle(self, error: Exception | None = None) -> None:
        """Hand the rows over once all are there, or the error at once."""
        if error is None and len(self.rows) < len(self.items):
            return
        self.waiting.clear()
        if self.result.done() or not self.result.set_running_or_notify_cancel():
            return
        if error is not None:
            self.result.set_exception(error)
        else:
            self.result.set_result([self.rows[i] for i in range(len(self.items))])


Batch = list[tuple[Request, int]]


class Schedule:
    """Decides which items run together next; knows neither threads nor time."""

    def __init__(self, capacity: Mapping[Lane, int] = CAPACITY) -> None:
        self._capacity = capacity
        self._lanes: dict[Lane, deque[Request]] = {lane: deque() for lane in Lane}
        self._overtaken = 0

    def waiting(self, lane: Lane) -> list[int]:
        """The lengths of the lane's items that no batch has taken."""
        return [len(request.items[i]) for request in self._live(lane) for i in request.waiting]

    def add(self, lane: Lane, request: Request) -> bool:
        """Queue the request, unless the lane is full; more than a lane holds only fits an empty one."""
        waiting = sum(len(other.waiting) for other in self._live(lane))
        if waiting and waiting + len(request.items) > self._capacity[lane]:
            return False
        self._lanes[lane].append(request)
        return True

    def next(self) -> Batch:
        """The next batch; empty when nothing waits."""
        query, bulk = self._live(Lane.query), self._live(Lane.bulk)
        if query and (not bulk or self._overtaken < PATIENCE):
            self._overtaken += 1 if bulk else 0
            return _take(query)
        self._overtaken = 0
        return _take(bulk)

    def drain(self) -> list[Request]:
        """Every request that still waits; none is left."""
        requests = [request for lane in Lane for request in self._live(lane)]
        for lane in Lane:
            self._lanes[lane].clear()
        return requests

    def _live(self, lane: Lane) -> "deque[Request]":
        live = deque(r for r in self._lanes[lane] if r.waiting and not r.result.cancelled())
        self._lanes[lane] = live
        return live


def _take(requests: "deque[Request]") -> Batch:
    """Items of the first request, topped up from those behind it; whoever gave goes to the end."""
    batch: Batch = []
    longest = 0
    served: list[Request] = []
    for request in requests:
        if served and request.model != served[0].model:
            continue
        before = len(batch)
        while request.waiting:
            index = request.waiting[0]
            widest = max(longest, len(request.items[index]))
            if batch and (len(batch) == BATCH_ITEMS or widest * (len(batch) + 1) > BATCH_TOKENS):
                break
            longest = widest
            batch.append((request, request.waiting.popleft()))
        if len(batch) > before:
            served.append(request)
    for request in served:
        requests.remove(request)
        requests.append(request)
    return batch


class Batcher:
    """Threads that run batches, each one at a time."""

    def __init__(self, models: Mapping[str, Runner], *, threads: int, capacity: Mapping[Lane, int] = CAPACITY) -> None:
        self._models = models
        self._schedule = Schedule(capacity)
        self._changed = threading.Condition()
        self._stopped = False
        self._tokens_per_second = 0.0
        self._threads = [threading.Thread(target=self._work, name="batcher", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether all threads are at work."""
        return all(thread.is_alive() for thread in self._threads)

    def submit(self, lane: Lane, model: str, items: Sequence[Sized]) -> "Future[list[Any]]":
        """One row an item, in order.

        Raises:
            Full: the lane takes no more just now.
            Stopped: the server is shutting down.
        """
        request = Request(model, items)
        with self._changed:
            if self._stopped:
                raise Stopped
            if not self._schedule.add(lane, request):
                raise Full(self._retry_after(lane))
            self._changed.notify(len(items))
        return request.result

    def stop(self) -> None:
        """End the threads after their present batches; what waits fails with `Stopped`."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for request in self._schedule.drain():
            request.settle(Stopped())

    def _retry_after(self, lane: Lane) -> int:
        if not self._tokens_per_second:
            return 1
        seconds = sum(self._schedule.waiting(lane)) / 2 / (self._tokens_per_second * len(self._threads))
        return min(60, max(1, math.ceil(seconds)))

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and not (batch := self._schedule.next()):
                    self._changed.wait()
                if self._stopped:
                    return
            self._run(batch)

    def _run(self, batch: Batch) -> None:
        started = monotonic()
        items = [request.items[index] for request, index in batch]
        error: Exception | None = None
        rows: Sequence[Any] = ()
        try:
            rows = self._models[batch[0][0].model].run(items)
        except Exception as failure:  # whatever went wrong belongs to the callers, not to this thread
            error = failure
        rate = sum(map(len, items)) / max(monotonic() - started, 1e-6)
        with self._changed:
            for (request, index), row in zip(batch, rows, strict=error is None):
                request.rows[index] = row
            for request, _ in batch:
                request.settle(error)
            self._tokens_per_second += 0.1 * (rate - self._tokens_per_second) if self._tokens_per_second else rate

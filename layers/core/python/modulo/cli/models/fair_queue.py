"""A bounded queue that shares the models fairly: queries first, requests in turns, no starvation.

Items run one by one. Batching was measured and rejected: with these quantised models a batch of eight passages
takes twice the CPU time of eight single ones. A text's vector would also depend on its neighbours (cosine .993),
because a batch shares one scale for its activations.
"""

import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence, Sized
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import Any, Protocol

MAX_OVERTAKES = 8
"""Query items that may run before a waiting bulk item gets its turn."""


class Lane(StrEnum):
    """Priority of a request: interactive query, or bulk ingestion."""

    query = "query"
    bulk = "bulk"


CAPACITY = {Lane.query: 2_048, Lane.bulk: 1_024}
"""Maximum number of waiting items of each lane."""
MAX_WAIT_SECONDS = 40.0
"""A request that would wait longer is rejected at once: callers time out after a minute."""


class QueueFull(Exception):
    """The lane is full; `retry_after` estimates when it will be half empty, in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"The queue is full; try again in {retry_after} s.")
        self.retry_after = retry_after


class ShuttingDown(Exception):
    """The server is shutting down."""


class Runner(Protocol):
    """A model: computes one output row for one item."""

    def run(self, item: Any) -> Any:
        """The output row for the item."""
        ...


@dataclass(eq=False, slots=True)
class Request:
    """The items of one call. Cancelling `result` drops the items still waiting. `len(item)` is its token count."""

    model: str
    items: Sequence[Sized]
    result: "Future[list[Any]]" = field(default_factory=Future)
    rows: dict[int, Any] = field(default_factory=dict)
    taken: int = 0

    @property
    def waiting(self) -> Sequence[Sized]:
        """The items not yet taken; empty once the request has ended."""
        return () if self.result.done() else self.items[self.taken :]

    def settle(self, error: Exception | None = None) -> None:
        """Complete `result` with the rows once all are there, or with the error at once."""
        if error is None and len(self.rows) < len(self.items):
            return
        if self.result.done() or not self.result.set_running_or_notify_cancel():
            return
        if error is not None:
            self.result.set_exception(error)
        else:
            self.result.set_result([self.rows[i] for i in range(len(self.items))])


class FairQueue:
    """Decides which item runs next. It has no threads and no clock."""

    def __init__(self, capacity: Mapping[Lane, int] = CAPACITY) -> None:
        self._capacity = capacity
        self._lanes: dict[Lane, deque[Request]] = {lane: deque() for lane in Lane}
        self._overtaken = 0

    def waiting(self, lane: Lane) -> list[int]:
        """Token counts of the lane's items that have not been taken."""
        return [len(item) for request in self._lanes[lane] for item in request.waiting]

    def add(self, lane: Lane, request: Request, *, max_tokens: float = math.inf) -> bool:
        """Queue the request; False if the lane is full or would exceed `max_tokens`. An empty lane accepts any."""
        waiting = self.waiting(lane)
        lengths = [*waiting, *map(len, request.items)]
        if waiting and (len(lengths) > self._capacity[lane] or sum(lengths) > max_tokens):
            return False
        self._lanes[lane].append(request)
        return True

    def next(self) -> tuple[Request, int] | None:
        """The request whose turn it is and the index of its next item; None when the queue is empty."""
        query, bulk = self._first(Lane.query), self._first(Lane.bulk)
        if query and (not bulk or self._overtaken < MAX_OVERTAKES):
            self._overtaken += 1 if bulk else 0
            return self._take(Lane.query, query)
        self._overtaken = 0
        return self._take(Lane.bulk, bulk) if bulk else None

    def drain(self) -> list[Request]:
        """Remove and return every waiting request."""
        requests = [request for lane in Lane for request in self._lanes[lane]]
        for lane in Lane:
            self._lanes[lane].clear()
        return requests

    def _first(self, lane: Lane) -> Request | None:
        requests = self._lanes[lane]
        while requests and not requests[0].waiting:
            requests.popleft()
        return requests[0] if requests else None

    def _take(self, lane: Lane, request: Request) -> tuple[Request, int]:
        self._lanes[lane].rotate(-1)
        request.taken += 1
        return request, request.taken - 1


class Workers:
    """Worker threads that run queued items, one at a time each."""

    def __init__(self, models: Mapping[str, Runner], *, threads: int, capacity: Mapping[Lane, int] = CAPACITY) -> None:
        self._models = models
        self._queue = FairQueue(capacity)
        self._changed = threading.Condition()
        self._stopped = False
        self._tokens_per_second = 0.0
        self._threads = [threading.Thread(target=self._work, name="worker", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether all worker threads are alive."""
        return all(thread.is_alive() for thread in self._threads)

    def submit(self, lane: Lane, model: str, items: Sequence[Sized]) -> "Future[list[Any]]":
        """Queue the items; the future holds one row for each item, in order.

        Raises:
            QueueFull: the lane is full; retry later.
            ShuttingDown: the server is shutting down.
        """
        request = Request(model, items)
        with self._changed:
            if self._stopped:
                raise ShuttingDown
            rate = self._tokens_per_second * len(self._threads)
            if not self._queue.add(lane, request, max_tokens=rate * MAX_WAIT_SECONDS if rate else math.inf):
                raise QueueFull(self._retry_after(lane, rate))
            self._changed.notify(len(items))
        return request.result

    def stop(self) -> None:
        """Stop each thread after its current item; waiting requests fail with `ShuttingDown`."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for request in self._queue.drain():
            request.settle(ShuttingDown())

    def _retry_after(self, lane: Lane, rate: float) -> int:
        seconds = sum(self._queue.waiting(lane)) / 2 / rate if rate else 1
        return min(60, max(1, math.ceil(seconds)))

    def _work(self) -> None:
        while taken := self._next():
            self._run(*taken)

    def _next(self) -> tuple[Request, int] | None:
        """Wait for the next item; None once the server is shutting down."""
        with self._changed:
            while not self._stopped:
                if taken := self._queue.next():
                    return taken
                self._changed.wait()
            return None

    def _run(self, request: Request, index: int) -> None:
        started = monotonic()
        item = request.items[index]
        row: Any = None
        error: Exception | None = None
        try:
            row = self._models[request.model].run(item)
        except Exception as failure:  # reported to the caller; the thread goes on with the next item
            error = failure
        rate = len(item) / max(monotonic() - started, 1e-6)
        with self._changed:
            request.rows[index] = row
            request.settle(error)
            self._tokens_per_second += 0.05 * (rate - self._tokens_per_second) if self._tokens_per_second else rate

"""Work shared fairly by requests: queries first, long requests in turns, nobody starved, queues bounded.

Items run one by one. Batches were tried and measured: with these quantised models eight passages at
once take twice the CPU time of eight alone, and a text's vector then depends on its neighbours
(cosine .993), because a batch shares one scale for its activations.
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

# So many items of queries may overtake a waiting bulk item before it runs.
PATIENCE = 8


class Lane(StrEnum):
    """Who waits: a person for a query, or an ingestion for its bulk."""

    query = "query"
    bulk = "bulk"


# Items.
CAPACITY = {Lane.query: 2_048, Lane.bulk: 1_024}
# What cannot be done by then is refused at once: callers wait for a minute.
LONGEST_SECONDS = 40.0


class Full(Exception):
    """The lane is full; `retry_after` estimates when it will be half empty, in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"The queue is full; try again in {retry_after} s.")
        self.retry_after = retry_after


class Stopped(Exception):
    """The server is shutting down."""


class Runner(Protocol):
    """What turns an item into a row."""

    def run(self, item: Any) -> Any:
        """The item's row."""
        ...


@dataclass(eq=False, slots=True)
class Request:
    """Items of one call; a cancelled `result` drops those that still wait. An item's length is its tokens."""

    model: str
    items: Sequence[Sized]
    result: "Future[list[Any]]" = field(default_factory=Future)
    rows: dict[int, Any] = field(default_factory=dict)
    taken: int = 0

    @property
    def waiting(self) -> Sequence[Sized]:
        """The items that have not been taken; none once the request has ended."""
        return () if self.result.done() else self.items[self.taken :]

    def settle(self, error: Exception | None = None) -> None:
        """Hand the rows over once all are there, or the error at once."""
        if error is None and len(self.rows) < len(self.items):
            return
        if self.result.done() or not self.result.set_running_or_notify_cancel():
            return
        if error is not None:
            self.result.set_exception(error)
        else:
            self.result.set_result([self.rows[i] for i in range(len(self.items))])


class Schedule:
    """Decides which item runs next; knows neither threads nor time."""

    def __init__(self, capacity: Mapping[Lane, int] = CAPACITY) -> None:
        self._capacity = capacity
        self._lanes: dict[Lane, deque[Request]] = {lane: deque() for lane in Lane}
        self._overtaken = 0

    def waiting(self, lane: Lane) -> list[int]:
        """The lengths of the lane's items that have not been taken."""
        return [len(item) for request in self._lanes[lane] for item in request.waiting]

    def add(self, lane: Lane, request: Request, *, most: float = math.inf) -> bool:
        """Queue the request, unless the lane is full or would hold more than so many tokens; an empty one takes any."""
        waiting = self.waiting(lane)
        lengths = [*waiting, *map(len, request.items)]
        if waiting and (len(lengths) > self._capacity[lane] or sum(lengths) > most):
            return False
        self._lanes[lane].append(request)
        return True

    def next(self) -> tuple[Request, int] | None:
        """The next item, of the request whose turn it is; None when nothing waits."""
        query, bulk = self._first(Lane.query), self._first(Lane.bulk)
        if query and (not bulk or self._overtaken < PATIENCE):
            self._overtaken += 1 if bulk else 0
            return self._take(Lane.query, query)
        self._overtaken = 0
        return self._take(Lane.bulk, bulk) if bulk else None

    def drain(self) -> list[Request]:
        """Every request that still waits; none is left."""
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
    """Threads that run items, each one at a time."""

    def __init__(self, models: Mapping[str, Runner], *, threads: int, capacity: Mapping[Lane, int] = CAPACITY) -> None:
        self._models = models
        self._schedule = Schedule(capacity)
        self._changed = threading.Condition()
        self._stopped = False
        self._tokens_per_second = 0.0
        self._threads = [threading.Thread(target=self._work, name="worker", daemon=True) for _ in range(threads)]
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
            rate = self._tokens_per_second * len(self._threads)
            if not self._schedule.add(lane, request, most=rate * LONGEST_SECONDS if rate else math.inf):
                raise Full(self._retry_after(lane, rate))
            self._changed.notify(len(items))
        return request.result

    def stop(self) -> None:
        """End the threads after their present items; what waits fails with `Stopped`."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for request in self._schedule.drain():
            request.settle(Stopped())

    def _retry_after(self, lane: Lane, rate: float) -> int:
        seconds = sum(self._schedule.waiting(lane)) / 2 / rate if rate else 1
        return min(60, max(1, math.ceil(seconds)))

    def _work(self) -> None:
        while taken := self._next():
            self._run(*taken)

    def _next(self) -> tuple[Request, int] | None:
        """The next item, as soon as there is one; None once the work has to end."""
        with self._changed:
            while not self._stopped:
                if taken := self._schedule.next():
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
        except Exception as failure:  # whatever went wrong belongs to the caller, not to this thread
            error = failure
        rate = len(item) / max(monotonic() - started, 1e-6)
        with self._changed:
            request.rows[index] = row
            request.settle(error)
            self._tokens_per_second += 0.05 * (rate - self._tokens_per_second) if self._tokens_per_second else rate

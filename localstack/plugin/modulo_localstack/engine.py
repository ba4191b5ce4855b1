"""Decides which schedules are due and which deliveries to retry; has no clock and does no I/O of its own."""

import heapq
import itertools
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from modulo_localstack.expressions import parse

LOG = logging.getLogger(__name__)

INSTANT = timedelta(microseconds=1)
MAX_RETRY_DELAY = timedelta(seconds=60)


@dataclass(frozen=True)
class Schedule:
    """A stored schedule."""

    arn: str
    expression: str
    zone: str
    changed: datetime  # when it was created or last updated
    target: Mapping[str, Any]
    enabled: bool = True
    start: datetime | None = None
    end: datetime | None = None
    delete_after: bool = False

    @property
    def began(self) -> datetime:
        """Start of its validity."""
        return max(self.changed, self.start) if self.start else self.changed


@dataclass(frozen=True)
class Delivery:
    """One due run of a schedule, to be delivered to its target."""

    schedule: Schedule
    due: datetime
    attempt: int = 1
    execution_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Engine:
    """Delivers due runs on each `tick`.

    `stored` lists the schedules. `deliver` delivers one run and raises on failure. `abandon` gets a run whose attempts
    have all failed. `remove` deletes a finished schedule that asked for it. Runs missed while the machine slept are
    made up for by one run.
    """

    def __init__(
        self,
        *,
        stored: Callable[[], Iterable[Schedule]],
        deliver: Callable[[Delivery], None],
        abandon: Callable[[Delivery], None],
        remove: Callable[[Schedule], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._stored = stored
        self._deliver = deliver
        self._abandon = abandon
        self._remove = remove
        self._clock = clock
        self._next: dict[str, tuple[Schedule, datetime | None]] = {}
        self._retries: list[tuple[datetime, int, Delivery]] = []
        self._order = itertools.count()

    def tick(self) -> None:
        """Deliver all runs and retries that are due."""
        now = self._clock()
        known: dict[str, tuple[Schedule, datetime | None]] = {}
        for schedule in self._stored():
            seen = self._next.get(schedule.arn)
            due = seen[1] if seen and seen[0] == schedule else self._due(schedule, schedule.began)
            if due and due <= now:
                self._attempt(Delivery(schedule, due), now)
                due = self._due(schedule, now + INSTANT)
            if due is None and schedule.delete_after and schedule.enabled:
                self._remove(schedule)
            known[schedule.arn] = schedule, due
        self._next = known
        while self._retries and self._retries[0][0] <= now:
            self._attempt(heapq.heappop(self._retries)[2], now)

    def _due(self, schedule: Schedule, since: datetime) -> datetime | None:
        if not schedule.enabled:
            return None
        try:
            due = parse(schedule.expression, schedule.zone).first(since, anchor=schedule.began)
        except ValueError as error:
            LOG.warning("Schedule %s will never run, its expression is invalid: %s", schedule.arn, error)
            return None
        return None if due and schedule.end and due > schedule.end else due

    def _attempt(self, delivery: Delivery, now: datetime) -> None:
        try:
            self._deliver(delivery)
        except Exception as error:  # one failing target must not stop the others
            LOG.warning("Schedule %s: delivery attempt %d failed: %s", delivery.schedule.arn, delivery.attempt, error)
            policy = delivery.schedule.target.get("RetryPolicy") or {}
            pause = min(timedelta(seconds=2 ** min(delivery.attempt - 1, 10)), MAX_RETRY_DELAY)
            oldest = delivery.due + timedelta(seconds=policy.get("MaximumEventAgeInSeconds", 86_400))
            if delivery.attempt > policy.get("MaximumRetryAttempts", 185) or now + pause > oldest:
                self._abandon(delivery)
            else:
                retry = replace(delivery, attempt=delivery.attempt + 1)
                heapq.heappush(self._retries, (now + pause, next(self._order), retry))

"""Which schedules are due, and what is to be delivered again; it neither keeps time nor talks to anyone."""

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
LONGEST_PAUSE = timedelta(seconds=60)  # between two attempts to deliver


@dataclass(frozen=True)
class Schedule:
    """A schedule as it is stored."""

    arn: str
    expression: str
    zone: str
    changed: datetime  # created or last updated
    target: Mapping[str, Any]
    enabled: bool = True
    start: datetime | None = None
    end: datetime | None = None
    delete_after: bool = False

    @property
    def began(self) -> datetime:
        """From when it counts."""
        return max(self.changed, self.start) if self.start else self.changed


@dataclass(frozen=True)
class Delivery:
    """One run of a schedule that its target is to learn of."""

    schedule: Schedule
    due: datetime
    attempt: int = 1
    execution_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Engine:
    """Delivers what falls due each time it is asked to.

    `stored` lists the schedules; `deliver` hands one run to its target and raises where that fails;
    `abandon` gets a run that no attempt delivered; `forget` removes a schedule that is over and
    asked for that. A run that was missed, while the machine slept, is made up for once.
    """

    def __init__(
        self,
        *,
        stored: Callable[[], Iterable[Schedule]],
        deliver: Callable[[Delivery], None],
        abandon: Callable[[Delivery], None],
        forget: Callable[[Schedule], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._stored = stored
        self._deliver = deliver
        self._abandon = abandon
        self._forget = forget
        self._clock = clock
        self._next: dict[str, tuple[Schedule, datetime | None]] = {}
        self._again: list[tuple[datetime, int, Delivery]] = []
        self._order = itertools.count()

    def tick(self) -> None:
        """Deliver everything that is due by now."""
        now = self._clock()
        known: dict[str, tuple[Schedule, datetime | None]] = {}
        for schedule in self._stored():
            seen = self._next.get(schedule.arn)
            due = seen[1] if seen and seen[0] == schedule else self._due(schedule, schedule.began)
            if due and due <= now:
                self._attempt(Delivery(schedule, due), now)
                due = self._due(schedule, now + INSTANT)
            if due is None and schedule.delete_after and schedule.enabled:
                self._forget(schedule)
            known[schedule.arn] = schedule, due
        self._next = known
        while self._again and self._again[0][0] <= now:
            self._attempt(heapq.heappop(self._again)[2], now)

    def _due(self, schedule: Schedule, since: datetime) -> datetime | None:
        if not schedule.enabled:
            return None
        try:
            due = parse(schedule.expression, schedule.zone).first(since, anchor=schedule.began)
        except ValueError as error:
            LOG.warning("Schedule %s never runs: %s", schedule.arn, error)
            return None
        return None if due and schedule.end and due > schedule.end else due

    def _attempt(self, delivery: Delivery, now: datetime) -> None:
        try:
            self._deliver(delivery)
        except Exception as error:  # whatever a target says, the others have to run
            LOG.warning("Schedule %s, attempt %d: %s", delivery.schedule.arn, delivery.attempt, error)
            policy = delivery.schedule.target.get("RetryPolicy") or {}
            pause = min(timedelta(seconds=2 ** min(delivery.attempt - 1, 10)), LONGEST_PAUSE)
            oldest = delivery.due + timedelta(seconds=policy.get("MaximumEventAgeInSeconds", 86_400))
            if delivery.attempt > policy.get("MaximumRetryAttempts", 185) or now + pause > oldest:
                self._abandon(delivery)
            else:
                again = replace(delivery, attempt=delivery.attempt + 1)
                heapq.heappush(self._again, (now + pause, next(self._order), again))

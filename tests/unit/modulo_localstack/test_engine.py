"""Which schedules of the local cloud fire, when, and what happens when their target refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from modulo_localstack.engine import Delivery, Engine, Schedule

START = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


@dataclass
class World:
    """Stored schedules, a clock that is turned by hand, and a target that may refuse."""

    now: datetime = START
    schedules: dict[str, Schedule] = field(default_factory=dict)
    delivered: list[Delivery] = field(default_factory=list)
    abandoned: list[Delivery] = field(default_factory=list)
    refusals: int = 0

    def __post_init__(self) -> None:
        self.engine = Engine(
            stored=lambda: list(self.schedules.values()),
            deliver=self.deliver,
            abandon=self.abandoned.append,
            remove=lambda schedule: self.schedules.pop(schedule.arn),
            clock=lambda: self.now,
        )

    def add(self, expression: str, *, target: Mapping[str, Any] | None = None, **settings: Any) -> Schedule:
        arn = f"arn:aws:scheduler:us-east-1:000000000000:schedule/default/{len(self.schedules)}"
        schedule = Schedule(arn, expression, settings.pop("zone", "UTC"), self.now, target or {}, **settings)
        self.schedules[arn] = schedule
        return schedule

    def deliver(self, delivery: Delivery) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("nobody is there")
        self.delivered.append(delivery)

    def run(self, seconds: float, step: float = 1.0) -> list[float]:
        """Let time pass; when something was delivered, in seconds since the start."""
        before = len(self.delivered)
        found = []
        end = self.now + timedelta(seconds=seconds)
        while self.now <= end:
            self.engine.tick()
            found += [(self.now - START).total_seconds()] * (len(self.delivered) - before)
            before = len(self.delivered)
            self.now += timedelta(seconds=step)
        return found


class TestFiring:
    def test_a_rate_fires_at_once_and_then_evenly(self) -> None:
        world = World()
        world.add("rate(1 minute)")
        assert world.run(150) == [0, 60, 120]
        assert [delivery.due for delivery in world.delivered][1] == START + timedelta(minutes=1)

    def test_a_calendar_fires_in_its_zone(self) -> None:
        world = World()
        world.add("cron(1 13 * * ? *)", zone="Europe/Berlin")
        assert world.run(120) == [30]

    def test_a_single_time_fires_once_and_is_forgotten_where_asked(self) -> None:
        world = World()
        world.add("at(2026-03-02T12:00:40)")
        world.add("at(2026-03-02T12:00:40)", delete_after=True)
        assert world.run(120) == [10, 10]
        assert len(world.schedules) == 1

    def test_it_keeps_within_its_start_and_end(self) -> None:
        world = World()
        late = {"start": START + timedelta(seconds=70), "end": START + timedelta(seconds=200)}
        world.add("rate(1 minute)", **late)
        assert world.run(400) == [70, 130, 190]

    def test_a_disabled_one_is_silent_and_stays(self) -> None:
        world = World()
        world.add("rate(1 minute)", enabled=False, delete_after=True)
        assert world.run(120) == []
        assert world.schedules

    def test_an_update_starts_it_anew(self) -> None:
        world = World()
        schedule = world.add("rate(1 hour)")
        assert world.run(10) == [0]
        world.schedules[schedule.arn] = replace(schedule, expression="rate(2 minutes)", changed=world.now)
        assert world.run(130) == [11, 131]

    def test_what_a_sleeping_machine_missed_is_made_up_for_once(self) -> None:
        world = World()
        world.add("rate(1 minute)")
        assert world.run(3_000, step=600.5) == [0, 600.5, 1201, 1801.5, 2402]
        world.now = START + timedelta(seconds=3_003)
        assert world.run(60) == [3_003, 3_060]

    def test_one_that_cannot_be_read_keeps_nobody_else_from_firing(self) -> None:
        world = World()
        world.add("every now and then")
        world.add("rate(1 minute)")
        assert world.run(0) == [0]


class TestDelivering:
    def test_a_refused_run_is_tried_again_ever_more_slowly(self) -> None:
        world = World(refusals=3)
        world.add("rate(1 day)")
        assert world.run(60) == [1 + 2 + 4]
        assert world.delivered[0].attempt == 4
        assert world.delivered[0].due == START

    def test_it_is_given_up_after_as_many_tries_as_the_target_asks_for(self) -> None:
        world = World(refusals=99)
        world.add("rate(1 day)", target={"RetryPolicy": {"MaximumRetryAttempts": 2}})
        assert world.run(60) == []
        assert [delivery.attempt for delivery in world.abandoned] == [3]

    def test_it_is_given_up_when_it_is_too_old(self) -> None:
        world = World(refusals=99)
        world.add("rate(1 day)", target={"RetryPolicy": {"MaximumEventAgeInSeconds": 60}})
        world.run(120)
        assert [delivery.attempt for delivery in world.abandoned] == [6]  # 1 + 2 + 4 + 8 + 16, and 32 would be too late

    def test_one_target_that_refuses_does_not_hold_the_others_up(self) -> None:
        world = World(refusals=1)
        world.add("rate(1 day)", target={"RetryPolicy": {"MaximumRetryAttempts": 0}})
        world.add("rate(1 day)")
        assert world.run(0) == [0]
        assert len(world.abandoned) == 1

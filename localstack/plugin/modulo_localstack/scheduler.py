"""EventBridge Scheduler: LocalStack stores the schedules, this makes them fire."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from localstack.aws.api.scheduler import ValidationException
from localstack.aws.connect import connect_to
from localstack.services.scheduler.provider import SchedulerProvider
from localstack.utils.patch import patch
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends
from moto.scheduler.models import Schedule as StoredSchedule

from modulo_localstack.engine import Delivery, Engine, Schedule
from modulo_localstack.expressions import parse

LOG = logging.getLogger(__name__)

TICK = 0.5  # seconds; AWS itself promises the minute
TARGETS = ("lambda", "sqs")


class FiringSchedulerProvider(SchedulerProvider):
    """LocalStack's provider with a thread that looks for what is due."""

    def __init__(self) -> None:
        super().__init__()
        self._engine = Engine(stored=stored, deliver=deliver, abandon=abandon, forget=forget)
        self._stopped = threading.Event()

    def on_before_start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def on_before_stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(TICK):
            try:
                self._engine.tick()
            except Exception:
                LOG.exception("The schedules could not be looked at")


def _moment(value: Any) -> datetime | None:
    """A time of the API, which sends seconds since 1970."""
    return datetime.fromtimestamp(float(value), UTC) if value else None


def stored() -> Iterator[Schedule]:
    """Every schedule of every account and region."""
    for regions in list(scheduler_backends.values()):
        for backend in list(regions.values()):
            for group in list(backend.schedule_groups.values()):
                for schedule in list(group.schedules.values()):
                    yield Schedule(
                        arn=schedule.arn,
                        expression=schedule.schedule_expression,
                        zone=schedule.schedule_expression_timezone,
                        changed=datetime.fromtimestamp(schedule.last_modified_date, UTC),
                        target=schedule.target,
                        enabled=schedule.state == "ENABLED",
                        start=_moment(schedule.start_date),
                        end=_moment(schedule.end_date),
                        delete_after=schedule.action_after_completion == "DELETE",
                    )


def forget(schedule: Schedule) -> None:
    """Remove a schedule from where it is stored."""
    *_, region, account, rest = schedule.arn.split(":")
    _, group, name = rest.split("/")
    scheduler_backends[account][region].schedule_groups[group].schedules.pop(name, None)


def message_of(delivery: Delivery) -> str:
    """What the target gets: the schedule's input with its context attributes filled in, or the standard event."""
    schedule = delivery.schedule
    due = f"{delivery.due:%Y-%m-%dT%H:%M:%SZ}"
    if (text := schedule.target.get("Input")) is None:
        *_, region, account, _ = schedule.arn.split(":")
        event = {
            "version": "0",
            "id": delivery.execution_id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account,
            "time": due,
            "region": region,
            "resources": [schedule.arn],
            "detail": "{}",
        }
        return json.dumps(event)
    context = {
        "schedule-arn": schedule.arn,
        "scheduled-time": due,
        "execution-id": delivery.execution_id,
        "attempt-number": str(delivery.attempt),
    }
    for name, value in context.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return str(text)


def deliver(delivery: Delivery) -> None:
    """Invoke the function, without waiting for it, or send to the queue.

    Raises:
        Exception: the target refused.
    """
    target = delivery.schedule.target
    _, _, service, region, account, name = target["Arn"].split(":", 5)
    if service == "lambda":
        client = connect_to(aws_access_key_id=account, region_name=region).lambda_
        client.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=message_of(delivery))
    else:
        parameters = {key: value for key, value in (target.get("SqsParameters") or {}).items() if value}
        send(region, account, name, message_of(delivery), **parameters)


def send(region: str, account: str, queue: str, body: str, **parameters: Any) -> None:
    """Send one message to a queue."""
    sqs = connect_to(aws_access_key_id=account, region_name=region).sqs
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=body, **parameters)


def abandon(delivery: Delivery) -> None:
    """Send what could not be delivered to the target's dead-letter queue, where it has one."""
    arn = (delivery.schedule.target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        LOG.error("Schedule %s was not delivered, and its target has no dead-letter queue", delivery.schedule.arn)
        return
    try:
        *_, region, account, queue = arn.split(":")
        send(region, account, queue, message_of(delivery))
    except Exception:
        LOG.exception("Schedule %s: the dead-letter queue refused too", delivery.schedule.arn)


def _check(expression: str, zone: str | None, target: dict[str, Any]) -> None:
    """Refuse what could never fire.

    Raises:
        ValidationException: which says why.
    """
    try:
        parse(expression, zone)
    except ValueError as error:
        raise ValidationException(f"Invalid Schedule Expression {expression}: {error}.") from error
    if target["Arn"].split(":")[2] not in TARGETS:
        raise ValidationException(f"Only functions and queues are fired here, not {target['Arn']}.")


@patch(EventBridgeSchedulerBackend.create_schedule)
def create_schedule(fn: Any, self: EventBridgeSchedulerBackend, **parameters: Any) -> StoredSchedule:
    """Store it if it can fire."""
    _check(parameters["schedule_expression"], parameters.get("schedule_expression_timezone"), parameters["target"])
    return fn(self, **parameters)


@patch(EventBridgeSchedulerBackend.update_schedule)
def update_schedule(fn: Any, self: EventBridgeSchedulerBackend, **parameters: Any) -> StoredSchedule:
    """Update it if it can fire then."""
    _check(parameters["schedule_expression"], parameters.get("schedule_expression_timezone"), parameters["target"])
    return fn(self, **parameters)

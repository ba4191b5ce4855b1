"""EventBridge Scheduler for LocalStack, which stores schedules but does not fire them."""

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

TICK_SECONDS = 0.5  # AWS itself guarantees one-minute precision
TARGETS = ("lambda", "sqs")


class FiringSchedulerProvider(SchedulerProvider):
    """LocalStack's provider plus a thread that fires due schedules."""

    def __init__(self) -> None:
        super().__init__()
        self._engine = Engine(stored=stored, deliver=deliver, abandon=abandon, remove=remove)
        self._stopped = threading.Event()

    def on_before_start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def on_before_stop(self) -> None:
        """Stop the thread."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            try:
                self._engine.tick()
            except Exception:
                LOG.exception("Checking for due schedules failed; trying again in %s s", TICK_SECONDS)


def _datetime(value: Any) -> datetime | None:
    """A datetime from the API's Unix time."""
    return datetime.fromtimestamp(float(value), UTC) if value else None


def stored() -> Iterator[Schedule]:
    """All schedules of all accounts and regions."""
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
                        start=_datetime(schedule.start_date),
                        end=_datetime(schedule.end_date),
                        delete_after=schedule.action_after_completion == "DELETE",
                    )


def remove(schedule: Schedule) -> None:
    """Delete a stored schedule."""
    *_, region, account, rest = schedule.arn.split(":")
    _, group, name = rest.split("/")
    scheduler_backends[account][region].schedule_groups[group].schedules.pop(name, None)


def message_of(delivery: Delivery) -> str:
    """The message for the target: the schedule's input with context attributes filled in, or the standard event."""
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
    """Invoke the target function asynchronously, or send a message to the target queue.

    Raises:
        Exception: the delivery failed.
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
    """Send a message to a queue."""
    sqs = connect_to(aws_access_key_id=account, region_name=region).sqs
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=body, **parameters)


def abandon(delivery: Delivery) -> None:
    """Send an undeliverable message to the target's dead-letter queue, if it has one."""
    arn = (delivery.schedule.target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        LOG.error(
            "Schedule %s: run dropped, all attempts failed and there is no dead-letter queue", delivery.schedule.arn
        )
        return
    try:
        *_, region, account, queue = arn.split(":")
        send(region, account, queue, message_of(delivery))
    except Exception:
        LOG.exception("Schedule %s: run dropped, sending to the dead-letter queue failed", delivery.schedule.arn)


def _check(expression: str, zone: str | None, target: dict[str, Any]) -> None:
    """Validate that a schedule can fire.

    Raises:
        ValidationException: it cannot; the message says why.
    """
    try:
        parse(expression, zone)
    except ValueError as error:
        raise ValidationException(f"Invalid Schedule Expression {expression}: {error}.") from error
    if target["Arn"].split(":")[2] not in TARGETS:
        raise ValidationException(
            f"Only Lambda functions and SQS queues are supported as targets, not {target['Arn']}."
        )


@patch(EventBridgeSchedulerBackend.create_schedule)
def create_schedule(fn: Any, self: EventBridgeSchedulerBackend, **parameters: Any) -> StoredSchedule:
    """Validate and store a schedule."""
    _check(parameters["schedule_expression"], parameters.get("schedule_expression_timezone"), parameters["target"])
    return fn(self, **parameters)


@patch(EventBridgeSchedulerBackend.update_schedule)
def update_schedule(fn: Any, self: EventBridgeSchedulerBackend, **parameters: Any) -> StoredSchedule:
    """Validate and update a schedule."""
    _check(parameters["schedule_expression"], parameters.get("schedule_expression_timezone"), parameters["target"])
    return fn(self, **parameters)

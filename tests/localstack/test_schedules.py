"""EventBridge Scheduler on LocalStack: it fires, into queues and functions."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from tests.localstack.world import ROLE, Cloud

Schedule = Callable[..., str]


@pytest.fixture
def schedule(localstack: Cloud) -> Schedule:
    """Makes a schedule; its name."""

    def make(expression: str, target: str, **settings: Any) -> str:
        name = f"s-{uuid4()}"
        parameters = settings.pop("Target", {})
        localstack.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target, "RoleArn": ROLE, **parameters},
            **settings,
        )
        return name

    return make


def test_a_rate_fires_into_a_queue_at_once_with_its_input(localstack: Cloud, schedule: Schedule) -> None:
    queue = localstack.queue()
    text = (
        '{"when": "<aws.scheduler.scheduled-time>", "try": <aws.scheduler.attempt-number>,'
        ' "of": "<aws.scheduler.schedule-arn>"}'
    )
    began = datetime.now(UTC) - timedelta(seconds=1)
    name = schedule("rate(1 minute)", localstack.arn(queue), Target={"Input": text})
    message = json.loads(localstack.receive(queue)[0])
    assert began <= datetime.fromisoformat(message["when"]) <= datetime.now(UTC)
    assert message["try"] == 1
    assert message["of"].endswith(f":schedule/default/{name}")


def test_a_rate_fires_into_a_function_with_the_standard_event(localstack: Cloud, schedule: Schedule) -> None:
    seen = localstack.queue()
    code = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event))
"""
    function = localstack.create(code, Environment={"Variables": {"SEEN": seen}})
    name = schedule("rate(5 minutes)", f"arn:aws:lambda:us-east-1:000000000000:function:{function}")
    event = json.loads(localstack.receive(seen)[0])
    assert event["detail-type"] == "Scheduled Event"
    assert event["source"] == "aws.scheduler"
    assert event["resources"] == [f"arn:aws:scheduler:us-east-1:000000000000:schedule/default/{name}"]


def test_a_single_time_in_a_zone_fires_once_and_is_gone(localstack: Cloud, schedule: Schedule) -> None:
    queue = localstack.queue()
    soon = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(seconds=2)
    name = schedule(
        f"at({soon:%Y-%m-%dT%H:%M:%S})",
        localstack.arn(queue),
        ScheduleExpressionTimezone="Asia/Tokyo",
        ActionAfterCompletion="DELETE",
        Target={"Input": "once"},
    )
    assert localstack.receive(queue) == ["once"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        localstack.client("scheduler").get_schedule(Name=name)


def test_a_target_that_is_missing_hands_over_to_the_dead_letter_queue(localstack: Cloud, schedule: Schedule) -> None:
    dead = localstack.queue()
    policy = {"RetryPolicy": {"MaximumRetryAttempts": 0}, "DeadLetterConfig": {"Arn": localstack.arn(dead)}}
    schedule("rate(1 day)", "arn:aws:sqs:us-east-1:000000000000:nowhere", Target={"Input": "lost", **policy})
    assert localstack.receive(dead) == ["lost"]


@pytest.mark.parametrize(
    ("expression", "target"),
    [
        ("cron(0 0 31 2 * *)", "arn:aws:sqs:us-east-1:000000000000:q"),
        ("rate(0 minutes)", "arn:aws:sqs:us-east-1:000000000000:q"),
        ("at(2026-02-30T00:00:00)", "arn:aws:sqs:us-east-1:000000000000:q"),
        ("rate(1 minute)", "arn:aws:sns:us-east-1:000000000000:t"),
    ],
)
def test_what_could_never_fire_is_refused(schedule: Schedule, expression: str, target: str) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        schedule(expression, target)

"""What every queue promises, and what SQS promises besides."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from modulo.adapters.aws.sqs_queue import SqsQueue
from modulo.domain.errors import Unavailable
from modulo.domain.trace import Trace
from modulo.ports.queue import Queue
from modulo.ports.trace import current_trace
from modulo.runtime.queue import delivery_of, record_of
from tests.doubles.memory_queue import MemoryQueue

Environment = dict[str, str]


@pytest.fixture
def dead_sqs_url(cloud_environment: Environment) -> Iterator[str]:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName=f"contract-dead-{uuid4()}")["QueueUrl"]
    yield url
    client.delete_queue(QueueUrl=url)


@pytest.fixture
def sqs_url(cloud_environment: Environment) -> Iterator[str]:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName=f"contract-{uuid4()}")["QueueUrl"]
    yield url
    client.delete_queue(QueueUrl=url)


@pytest.fixture(params=["memory", "sqs"])
def redriving(request: pytest.FixtureRequest) -> tuple[Queue, Queue]:
    """A queue that gives up after two deliveries, and what it gives up to."""
    if request.param == "memory":
        dead = MemoryQueue()
        return MemoryQueue(dead, attempts=2), dead
    dead_url, url = (request.getfixturevalue(name) for name in ("dead_sqs_url", "sqs_url"))
    client = boto3.client("sqs")
    arn = client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    return SqsQueue(url), SqsQueue(dead_url)


@pytest.fixture(params=["memory", "sqs"])
def queue(request: pytest.FixtureRequest) -> Queue:
    return MemoryQueue() if request.param == "memory" else SqsQueue(request.getfixturevalue("sqs_url"))


def test_a_message_carries_the_trace_that_it_was_sent_in(queue: Queue) -> None:
    trace = Trace.begin()
    token = current_trace.set(trace)
    try:
        queue.send({"number": 1})
    finally:
        current_trace.reset(token)
    queue.send({"number": 2})
    found: dict[int, str | None] = {}
    while len(found) < 2:
        for delivery in queue.receive(limit=10, wait_seconds=1):
            found[json.loads(delivery.body)["number"]] = delivery.trace
            queue.delete(delivery.receipt)
    assert found == {1: trace.header, 2: None}


def received(queue: Queue) -> list[Any]:
    """Every message's body; the messages are gone then."""
    bodies = []
    while deliveries := queue.receive(limit=10, wait_seconds=0):
        for delivery in deliveries:
            bodies.append(json.loads(delivery.body))
            queue.delete(delivery.receipt)
    return bodies


class TestQueue:
    def test_a_message_arrives_as_it_was_sent(self, queue: Queue) -> None:
        body = {
            "id": str(uuid4()),
            "name": 'Ünï "文書" 🙂 \u0001 <&>',
            "none": None,
            "number": 1,
            "list": [1, {"a": True}],
        }
        queue.send(body)
        assert received(queue) == [body]
        assert received(queue) == []

    def test_changing_a_sent_body_changes_no_message(self, queue: Queue) -> None:
        body: dict[str, list[int]] = {"list": [1]}
        queue.send(body)
        body["list"].append(2)
        assert received(queue) == [{"list": [1]}]

    def test_what_is_no_json_is_refused(self, queue: Queue) -> None:
        with pytest.raises(TypeError):
            queue.send({"id": uuid4()})
        assert received(queue) == []

    def test_a_message_may_be_delivered_later(self, queue: Queue) -> None:
        queue.send({"n": 1}, delay_seconds=2)
        queue.send({"n": 2})
        assert received(queue) == [{"n": 2}]
        time.sleep(2.1)
        assert received(queue) == [{"n": 1}]

    def test_threads_share_a_queue(self, queue: Queue) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: queue.send({"n": n}), range(40)))
        assert sorted(body["n"] for body in received(queue)) == list(range(40))

    def test_ping(self, queue: Queue) -> None:
        queue.ping()

    def test_a_delivery_is_exclusive_until_it_is_postponed(self, queue: Queue) -> None:
        queue.send({"n": 1})
        [first] = queue.receive(limit=10, wait_seconds=0)
        assert first.attempt == 1
        assert queue.receive(limit=10, wait_seconds=0) == []
        queue.postpone(first.receipt, 0)
        [second] = queue.receive(limit=10, wait_seconds=0)
        assert (second.id, second.body, second.attempt) == (first.id, first.body, 2)
        queue.delete(second.receipt)
        assert queue.receive(limit=10, wait_seconds=0) == []

    def test_a_postponed_message_waits(self, queue: Queue) -> None:
        queue.send({"n": 1})
        [delivery] = queue.receive(limit=1, wait_seconds=0)
        queue.postpone(delivery.receipt, 600)
        assert queue.receive(limit=1, wait_seconds=0) == []

    def test_no_more_than_asked_for(self, queue: Queue) -> None:
        for n in range(4):
            queue.send({"n": n})
        assert len(queue.receive(limit=3, wait_seconds=0)) == 3
        assert len(queue.receive(limit=3, wait_seconds=0)) == 1

    def test_what_is_given_up_goes_to_the_dead_letters_under_its_id(self, redriving: tuple[Queue, Queue]) -> None:
        queue, dead = redriving
        queue.send({"poison": 1})
        queue.send({"good": 1})
        ids = {}
        for _ in range(2):
            for delivery in queue.receive(limit=10, wait_seconds=0):
                ids[delivery.body] = delivery.id
                if "good" in delivery.body:
                    queue.delete(delivery.receipt)
                else:
                    queue.postpone(delivery.receipt, 0)
        assert dead.receive(limit=10, wait_seconds=0) == []
        assert queue.receive(limit=10, wait_seconds=0) == []
        [letter] = dead.receive(limit=10, wait_seconds=0)
        assert (letter.body, letter.id) == ('{"poison": 1}', ids['{"poison": 1}'])
        dead.delete(letter.receipt)
        assert dead.receive(limit=10, wait_seconds=0) == []

    def test_it_tells_how_many_messages_it_holds_until_they_are_ended(self, queue: Queue) -> None:
        assert queue.pending() == 0
        for n in range(3):
            queue.send({"n": n})
        assert queue.pending() == 3
        first, second = queue.receive(limit=2, wait_seconds=0)
        queue.postpone(second.receipt, 60)
        assert queue.pending() == 3
        queue.delete(first.receipt)
        assert queue.pending() == 2

    def test_what_is_given_up_is_held_no_more(self, redriving: tuple[Queue, Queue]) -> None:
        queue, dead = redriving
        queue.send({"poison": 1})
        for _ in range(2):
            [delivery] = queue.receive(limit=1, wait_seconds=0)
            queue.postpone(delivery.receipt, 0)
        assert queue.receive(limit=1, wait_seconds=0) == []
        assert (queue.pending(), dead.pending()) == (0, 1)

    def test_waiting_ends_with_a_message(self, queue: Queue) -> None:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(queue.receive, limit=1, wait_seconds=5)
            queue.send({"n": 1})
            assert len(waiting.result(timeout=60)) == 1


class TestMemoryQueue:
    def test_messages_come_oldest_first_and_again_when_nobody_ends_them(self) -> None:
        now = [0.0]
        queue = MemoryQueue(clock=lambda: now[0])
        for n in range(3):
            queue.send({"n": n})
        assert [json.loads(d.body)["n"] for d in queue.receive(limit=2, wait_seconds=0)] == [0, 1]
        now[0] = 961.0
        assert len(queue.receive(limit=10, wait_seconds=0)) == 3


class TestSqsQueue:
    def test_it_tells_when_a_message_was_sent_and_who_gave_it_up(
        self, cloud_environment: Environment, sqs_url: str, dead_sqs_url: str
    ) -> None:
        client = boto3.client("sqs")
        arn = client.get_queue_attributes(QueueUrl=dead_sqs_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        client.set_queue_attributes(QueueUrl=sqs_url, Attributes={"RedrivePolicy": policy})
        queue, before = SqsQueue(sqs_url), datetime.now(UTC) - timedelta(seconds=1)
        queue.send({"poison": 1})
        [first] = queue.receive(limit=1, wait_seconds=0)
        queue.postpone(first.receipt, 0)
        assert queue.receive(limit=1, wait_seconds=0) == []
        [letter] = SqsQueue(dead_sqs_url).receive(limit=1, wait_seconds=0)
        assert (first.source_queue, letter.source_queue) == (None, sqs_url.rpartition("/")[2])
        assert letter.sent_at is not None
        assert before <= letter.sent_at <= datetime.now(UTC) + timedelta(seconds=1)
        assert delivery_of(record_of(letter)) == letter

    def test_a_queue_that_is_not_there(self, cloud_environment: Environment) -> None:
        queue = SqsQueue(f"{cloud_environment['AWS_ENDPOINT_URL']}/000000000000/missing")
        for call in (queue.ping, queue.pending, lambda: queue.send({}), lambda: queue.receive(limit=1, wait_seconds=0)):
            with pytest.raises(Unavailable) as caught:
                call()
            assert caught.value.extra == {"dependency": "sqs"}

    @pytest.mark.serial
    def test_nothing_there_is_an_honest_and_fast_failure(
        self, cloud_environment: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        queue = SqsQueue("http://127.0.0.1:9/000000000000/any")
        began = time.monotonic()
        with pytest.raises(Unavailable):
            queue.send({"n": 1})
        assert time.monotonic() - began < 20

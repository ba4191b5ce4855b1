"""What every queue promises, and what SQS promises besides."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import boto3
import pytest

from modulo.adapters.memory_queue import MemoryQueue
from modulo.adapters.sqs_queue import SqsQueue
from modulo.domain.errors import Unavailable
from modulo.ports import Queue

Environment = dict[str, str]
Receive = Callable[[], list[Any]]


@pytest.fixture
def cloud_environment(cloud: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, value in cloud.items():
        monkeypatch.setenv(name, value)
    return cloud


@pytest.fixture
def sqs_url(cloud_environment: Environment) -> Iterator[str]:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName=f"contract-{uuid4()}")["QueueUrl"]
    yield url
    client.delete_queue(QueueUrl=url)


def received(url: str) -> list[Any]:
    client = boto3.client("sqs")
    bodies = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in messages]
    return bodies


@pytest.fixture(params=["memory", "sqs"])
def both(request: pytest.FixtureRequest) -> tuple[Queue, Receive]:
    if request.param == "memory":
        queue = MemoryQueue()
        return queue, lambda: queue.take(100)
    url: str = request.getfixturevalue("sqs_url")
    return SqsQueue(url), lambda: received(url)


class TestQueue:
    def test_a_message_arrives_as_it_was_sent(self, both: tuple[Queue, Receive]) -> None:
        queue, receive = both
        body = {
            "id": str(uuid4()),
            "name": 'Ünï "文書" 🙂 \u0001 <&>',
            "none": None,
            "number": 1,
            "list": [1, {"a": True}],
        }
        queue.send(body)
        assert receive() == [body]
        assert receive() == []

    def test_changing_a_sent_body_changes_no_message(self, both: tuple[Queue, Receive]) -> None:
        queue, receive = both
        body: dict[str, list[int]] = {"list": [1]}
        queue.send(body)
        body["list"].append(2)
        assert receive() == [{"list": [1]}]

    def test_what_is_no_json_is_refused(self, both: tuple[Queue, Receive]) -> None:
        queue, receive = both
        with pytest.raises(TypeError):
            queue.send({"id": uuid4()})
        assert receive() == []

    def test_threads_share_a_queue(self, both: tuple[Queue, Receive]) -> None:
        queue, receive = both
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: queue.send({"n": n}), range(40)))
        assert sorted(body["n"] for body in receive()) == list(range(40))

    def test_ping(self, both: tuple[Queue, Receive]) -> None:
        both[0].ping()


class TestMemoryQueue:
    def test_messages_are_taken_oldest_first(self) -> None:
        queue = MemoryQueue()
        for n in range(3):
            queue.send({"n": n})
        assert queue.messages == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert queue.take(2) == [{"n": 0}, {"n": 1}]
        assert queue.messages == [{"n": 2}]


class TestSqsQueue:
    def test_a_queue_that_is_not_there(self, cloud_environment: Environment) -> None:
        queue = SqsQueue(f"{cloud_environment['AWS_ENDPOINT_URL']}/000000000000/missing")
        for call in (queue.ping, lambda: queue.send({})):
            with pytest.raises(Unavailable) as caught:
                call()
            assert caught.value.extra == {"dependency": "sqs"}

    def test_nothing_there_is_an_honest_and_fast_failure(
        self, cloud_environment: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        queue = SqsQueue("http://127.0.0.1:9/000000000000/any")
        began = time.monotonic()
        with pytest.raises(Unavailable):
            queue.send({"n": 1})
        assert time.monotonic() - began < 5

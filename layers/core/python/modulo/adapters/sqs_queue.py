"""Messages in Amazon SQS, or in anything that speaks its protocol."""

import json
from collections.abc import Mapping

from modulo.adapters.aws_clients import LazyClient, answering


class SqsQueue:
    """One queue, named by its address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sqs = LazyClient("sqs")

    def send(self, body: Mapping[str, object]) -> None:
        """Add a message: a JSON object."""
        message = json.dumps(dict(body))
        with answering("sqs"):
            self._sqs().send_message(QueueUrl=self._url, MessageBody=message)

    def ping(self) -> None:
        """Ask for one attribute of the queue."""
        with answering("sqs"):
            self._sqs().get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])

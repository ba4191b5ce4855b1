"""Messages in Amazon SQS, or in anything that speaks its protocol."""

import json
from collections.abc import Mapping

from modulo.adapters.aws_clients import LazyClient, answering
from modulo.domain.transfer import Delivery

MOST_AT_ONCE = 10
PENDING = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsQueue:
    """One queue, named by its address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sqs = LazyClient("sqs")

    def send(self, body: Mapping[str, object], *, delay_seconds: int = 0) -> None:
        """Add a message, a JSON object, to be delivered after so many seconds."""
        message = json.dumps(dict(body))
        with answering("sqs"):
            self._sqs().send_message(QueueUrl=self._url, MessageBody=message, DelaySeconds=delay_seconds)

    def receive(self, *, limit: int, wait_seconds: int) -> list[Delivery]:
        """Up to `limit` messages, at most 10; where there is none yet, wait so long for one."""
        with answering("sqs"):
            answer = self._sqs().receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(limit, MOST_AT_ONCE),
                WaitTimeSeconds=wait_seconds,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp", "DeadLetterQueueSourceArn"],
            )
        return [
            Delivery.of(message["MessageId"], message["ReceiptHandle"], message["Body"], message["Attributes"])
            for message in answer.get("Messages", [])
        ]

    def delete(self, receipt: str) -> None:
        """End a delivery: its message was handled."""
        with answering("sqs"):
            self._sqs().delete_message(QueueUrl=self._url, ReceiptHandle=receipt)

    def postpone(self, receipt: str, seconds: int) -> None:
        """Have a delivery's message delivered again after so many seconds."""
        with answering("sqs"):
            self._sqs().change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def pending(self) -> int:
        """About how many messages it holds: those that wait, and those delivered and not ended yet."""
        with answering("sqs"):
            answer = self._sqs().get_queue_attributes(QueueUrl=self._url, AttributeNames=[*PENDING])
        return sum(int(answer["Attributes"].get(name, 0)) for name in PENDING)

    def close(self) -> None:
        """Close the connections."""
        self._sqs.close()

    def ping(self) -> None:
        """Ask for one attribute of the queue."""
        with answering("sqs"):
            self._sqs().get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])

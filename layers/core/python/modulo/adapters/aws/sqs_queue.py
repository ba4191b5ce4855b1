"""Messages in Amazon SQS, or in anything that speaks its protocol."""

import json
from collections.abc import Mapping

from modulo.adapters.aws.clients import LazyClient, translated_errors
from modulo.domain.operations.messages import Delivery
from modulo.ports.trace import trace_header

MAX_BATCH = 10
"""Messages that SQS returns at once, at most."""
TRACE = "traceparent"
PENDING_ATTRIBUTES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsQueue:
    """One queue, given by its URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sqs = LazyClient("sqs")

    def send(self, body: Mapping[str, object], *, delay_seconds: int = 0) -> None:
        """Send a message, a JSON object, to be delivered after `delay_seconds`."""
        message = json.dumps(dict(body))
        trace = trace_header()
        attributes = {TRACE: {"DataType": "String", "StringValue": trace}} if trace else {}
        with translated_errors("sqs"):
            self._sqs().send_message(
                QueueUrl=self._url, MessageBody=message, DelaySeconds=delay_seconds, MessageAttributes=attributes
            )

    def receive(self, *, limit: int, wait_seconds: int) -> list[Delivery]:
        """Up to `limit` messages, at most 10; waits up to `wait_seconds` if there are none."""
        with translated_errors("sqs"):
            answer = self._sqs().receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(limit, MAX_BATCH),
                WaitTimeSeconds=wait_seconds,
                MessageAttributeNames=[TRACE],
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp", "DeadLetterQueueSourceArn"],
            )
        return [
            Delivery.of(
                message["MessageId"],
                message["ReceiptHandle"],
                message["Body"],
                message["Attributes"],
                trace=message.get("MessageAttributes", {}).get(TRACE, {}).get("StringValue"),
            )
            for message in answer.get("Messages", [])
        ]

    def delete(self, receipt: str) -> None:
        """Delete the message of a delivery, which has been handled."""
        with translated_errors("sqs"):
            self._sqs().delete_message(QueueUrl=self._url, ReceiptHandle=receipt)

    def postpone(self, receipt: str, seconds: int) -> None:
        """Let the message of a delivery be delivered again after so many seconds."""
        with translated_errors("sqs"):
            self._sqs().change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def pending(self) -> int:
        """The approximate number of messages in the queue: waiting, delayed, or delivered and not yet deleted."""
        with translated_errors("sqs"):
            answer = self._sqs().get_queue_attributes(QueueUrl=self._url, AttributeNames=[*PENDING_ATTRIBUTES])
        return sum(int(answer["Attributes"].get(name, 0)) for name in PENDING_ATTRIBUTES)

    def close(self) -> None:
        """Close the connections."""
        self._sqs.close()

    def ping(self) -> None:
        """Request one attribute of the queue."""
        with translated_errors("sqs"):
            self._sqs().get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
